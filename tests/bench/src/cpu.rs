//! The processor time of another process, to the nanosecond.

use std::time::Duration;

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
