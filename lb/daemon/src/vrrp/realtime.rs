//! A thread that runs when it wants to, as far as this process may have one.

use nix::libc::MCL_ONFAULT;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl::set_timerslack;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

use crate::sys;

/// Above every thread that is not real-time, below whatever else the host has that is.
const PRIORITY: i32 = 10;

/// What was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// The calling thread runs before all that is not real-time (SCHED_FIFO); its children do not.
    pub scheduled: bool,
    /// No page that this process has touched, or will touch, is ever swapped out.
    pub locked: bool,
}

/// Makes the calling thread real-time and its timers exact, and keeps the process in memory; each where it is allowed
/// and can do no harm.
pub fn enter() -> Realtime {
    // In nanoseconds; it cannot fail.
    let _ = set_timerslack(1);
    Realtime { scheduled: sys::schedule_fifo(PRIORITY).is_ok(), locked: lock_memory() }
}

/// A limit that binds this process would let later allocations fail; then it does nothing.
fn lock_memory() -> bool {
    const LIMIT: Resource = Resource::RLIMIT_MEMLOCK;
    let Ok((soft, hard)) = getrlimit(LIMIT) else { return false };
    if soft == RLIM_INFINITY || setrlimit(LIMIT, RLIM_INFINITY, RLIM_INFINITY).is_ok() {
        return lock_all();
    }
    // With the limit at 0 only a process with CAP_IPC_LOCK gets it, which no limit binds.
    if setrlimit(LIMIT, 0, hard).is_err() {
        return false;
    }
    let locked = lock_all();
    // Up to the hard limit is always allowed.
    let _ = setrlimit(LIMIT, soft, hard);
    locked
}

/// What is touched only, or a thread's stack would be all of it.
fn lock_all() -> bool {
    let on_fault = MlockAllFlags::from_bits_retain(MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::thread;

    use nix::sys::mman::munlockall;

    use super::*;

    /// Of `/proc/PID/stat` (41 of proc_pid_stat(5)): 0 = normal, 1 = SCHED_FIFO.
    fn policy(stat: &str) -> u32 {
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        after_name.split(' ').nth(41 - 3).unwrap().parse().unwrap()
    }

    fn own_policy() -> u32 {
        policy(&fs::read_to_string("/proc/thread-self/stat").unwrap())
    }

    #[test]
    fn what_is_said_to_be_granted_is_so_and_children_do_not_have_it() {
        let granted = thread::spawn(|| {
            let limit = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
            let granted = enter();
            assert_eq!(own_policy(), u32::from(granted.scheduled));
            assert_eq!(thread::spawn(own_policy).join().unwrap(), 0);
            let child = Command::new("cat").arg("/proc/self/stat").output().unwrap();
            assert_eq!(policy(&String::from_utf8(child.stdout).unwrap()), 0);
            let now = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
            assert!(now == limit || now.0 == RLIM_INFINITY, "{now:?}");
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
            assert_eq!(locked.trim() != "0 kB", granted.locked);
            if granted.locked {
                // More than the limit.
                let memory = vec![1_u8; 64 * 1024 * 1024];
                assert!(memory.iter().all(|&byte| byte == 1));
            }
            munlockall().unwrap();
            granted
        });
        let Realtime { scheduled, locked: _ } = granted.join().unwrap();
        // Where there is somebody else to ask.
        if let Ok(chrt) = Command::new("chrt").args(["--fifo", "10", "true"]).output() {
            assert_eq!(scheduled, chrt.status.success());
        }
    }
}
