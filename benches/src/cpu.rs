//! CPU time of another process, from the scheduler's own accounting.

use std::fs;
use std::io;

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
