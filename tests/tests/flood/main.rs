//! Floods, and what a server remembers of them: no more than there was room for from the start.

mod addresses;
mod callers;
mod descriptors;
mod events;
