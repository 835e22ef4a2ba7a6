//! For tests: a network of one's own, gone with the thread.

use std::panic;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};

/// Two links of one cable.
pub const VETH: &str = "
    link add left type veth peer name right
    link set lo up
    link set left up
    link set right up";

/// Runs `work` on a thread in a new network namespace, in which all is there that `setup` says, a line per call of `ip`.
/// Says so and does nothing where that is not permitted.
pub fn in_namespace(setup: &'static str, work: impl FnOnce() + Send + 'static) {
    let body = move || match unshare(CloneFlags::CLONE_NEWNET) {
        Err(why) => eprintln!("skipped: no network namespace here: {why}"),
        Ok(()) => {
            setup.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(ip);
            work();
        }
    };
    if let Err(panic) = thread::spawn(body).join() {
        panic::resume_unwind(panic);
    }
}

/// Calls `ip` in the namespace of this thread.
pub fn ip(arguments: &str) {
    let output = ip_output(arguments);
    assert!(output.is_ok(), "ip {arguments}: {output:?}");
}

/// What `ip` prints; or what it complains.
pub fn ip_output(arguments: &str) -> Result<String, String> {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Waits until it is so.
pub fn soon(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::yield_now();
    }
}

/// Waits until the link carries packets, which takes the kernel a moment after it is told to.
pub fn link_is_up(link: &str) {
    soon(&format!("{link} is up"), || ip_output(&format!("link show {link}")).unwrap().contains("state UP"));
}
