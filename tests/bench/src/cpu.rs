//! The processor time of other processes, to the nanosecond, and which processors they may use.

use std::fs;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::time::TimeValLike as _;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::Result;

/// The clock that runs while any thread of one process does, those that have ended included.
#[derive(Clone, Copy)]
pub(crate) struct Clock(ClockId);

impl Clock {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        Ok(Self(clock_getcpuclockid(Pid::from_raw(pid.try_into()?))?))
    }

    pub(crate) fn now(self) -> Result<Duration> {
        let nanoseconds = clock_gettime(self.0)?.num_nanoseconds();
        Ok(Duration::from_nanos(nanoseconds.try_into()?))
    }
}

/// The processors that this process may use.
pub(crate) fn processors() -> Result<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|processor| allowed.is_set(*processor).unwrap_or_default()).collect())
}

/// Keeps all threads of a process, and those they start, to these processors.
pub(crate) fn keep_to(pid: u32, processors: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for processor in processors {
        set.set(*processor)?;
    }
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let id = thread?.file_name().to_string_lossy().parse()?;
        // It may have ended meanwhile.
        let _ = sched_setaffinity(Pid::from_raw(id), &set);
    }
    Ok(())
}
