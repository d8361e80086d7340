//! Floods, for the tests of what has a bound: what they leave in memory.

/// A hash map of which much was removed may make room for twice as much, once: so many bytes of a thousand entries and more.
pub(crate) const LITTLE: i64 = 128 * 1024;

/// The bytes that the second half of a flood leaves on the heap beyond those that the first half left there. It is counted of
/// this thread alone.
pub(crate) fn grows_by(count: u32, mut each: impl FnMut(u32)) -> i64 {
    (0..count / 2).for_each(&mut each);
    allocation_counter::measure(|| (count / 2..count).for_each(&mut each)).bytes_current
}
