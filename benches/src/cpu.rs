//! CPU time and memory of processes, as the system accounts them.

use std::fs;
use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds that all threads of this process have run. Unlike `schedstat`, which moves with the ticks of the scheduler,
/// it is exact now.
pub(crate) fn of_this_process() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// This thread, and those that it starts from now on, run on one core: the last that they may.
pub(crate) fn keep_to_one() -> io::Result<()> {
    let (all, mut last) = (sched_getaffinity(None)?, CpuSet::new());
    last.set((0..CpuSet::MAX_CPU).rfind(|core| all.is_set(*core)).unwrap_or_default());
    Ok(sched_setaffinity(None, &last)?)
}

/// Nanoseconds that all threads of the process have run (`/proc/PID/task/*/schedstat`, first field).
pub(crate) fn nanoseconds(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok());
        sum += first.ok_or_else(|| io::Error::other("schedstat without a number"))?;
    }
    Ok(sum)
}

/// Seconds that processes have run which this one started and waited for, and theirs (`/proc/self/stat`, fields 16 and 17,
/// in hundredths on every Linux).
pub(crate) fn seconds_of_children() -> io::Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The name, which may hold spaces, stands in parentheses; the field behind it is the third.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: Vec<f64> = fields.skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// The most memory that this process has had at once.
pub(crate) fn peak_megabytes() -> io::Result<f64> {
    status("VmHWM:").map(|kilobytes| kilobytes / 1024.0)
}

/// The memory that it has now.
pub(crate) fn resident_kilobytes() -> io::Result<f64> {
    status("VmRSS:")
}

/// A line of `/proc/self/status` that tells kilobytes.
fn status(name: &str) -> io::Result<f64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.ok_or_else(|| io::Error::other(format!("no {name} in the status")))
}
