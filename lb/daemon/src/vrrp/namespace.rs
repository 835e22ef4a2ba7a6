//! For tests: a network of one's own, gone with the thread.

use std::os::fd::AsFd;
use std::panic;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::gettid;

/// Two links of one cable.
pub const VETH: &str = "
    link add left type veth peer name right
    link set lo up
    link set left up
    link set right up";

/// Waits until something can be read, at most so long. Signals that are for other tests of the process do not end it.
pub fn readable(socket: impl AsFd, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    loop {
        let mut polled = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(&mut polled, PollTimeout::try_from(left).unwrap()) {
            Err(Errno::EINTR) => {}
            ready => return ready.unwrap() == 1,
        }
    }
}

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

/// Moves a link of this thread's namespace to another one, has `ip` set it up there (see [`in_namespace`]), and gives
/// what `work` does there. That namespace lives as long as a socket that was opened in it.
pub fn beyond<T: Send>(link: &str, setup: &str, work: impl FnOnce() -> T + Send) -> T {
    let (arrived, arrival) = mpsc::channel();
    let (moved, go_on) = mpsc::channel();
    thread::scope(|scope| {
        let there = scope.spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            arrived.send(gettid()).unwrap();
            go_on.recv().unwrap();
            setup.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(ip);
            work()
        });
        ip(&format!("link set {link} netns {}", arrival.recv().unwrap()));
        moved.send(()).unwrap();
        there.join().unwrap()
    })
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
