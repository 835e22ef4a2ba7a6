//! What keeps a thread running on time, as far as it is allowed.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// Low among the real-time priorities: above every ordinary thread, below what the kernel needs.
const PRIORITY: i32 = 10;

/// What the kernel granted.
#[derive(Clone, Copy, Debug)]
pub struct Realtime {
    /// SCHED_FIFO.
    pub scheduled: bool,
    /// No page of this process is swapped out.
    pub locked: bool,
}

/// For the calling thread, and for the memory of its process.
pub fn enter() -> Realtime {
    // timers of a thread without real-time priority are otherwise up to 50 µs late
    let _ = nix::sys::prctl::set_timerslack(1);
    Realtime { scheduled: crate::sys::schedule_fifo(PRIORITY).is_ok(), locked: lock_memory() }
}

/// With a limit on locked memory, every later allocation beyond it would fail: then it is better left alone.
fn lock_memory() -> bool {
    let unlimited = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_ok()
        || getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    // as they are touched, so that stacks do not become resident as a whole
    let flags =
        MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | MlockAllFlags::from_bits_retain(MCL_ONFAULT);
    unlimited && mlockall(flags).is_ok()
}

const MCL_ONFAULT: nix::libc::c_int = nix::libc::MCL_ONFAULT;
