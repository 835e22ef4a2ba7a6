//! The distribution's HAProxy.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::place::Place;
use crate::ports;
use crate::process::Process;

const START: Duration = Duration::from_secs(10);

/// A running HAProxy, with its files in a directory of its own; killed when dropped.
#[derive(Debug)]
pub struct Haproxy {
    process: Process,
    _dir: TempDir,
}

impl Haproxy {
    /// Starts HAProxy in the foreground with this configuration; waits until it listens on `ports`.
    ///
    /// # Errors
    /// It is not installed, ends at once or does not listen in time; with its log.
    pub fn start(place: &Place, config: &str, ports: &[u16]) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("haproxy-").tempdir()?;
        let file = dir.path().join("haproxy.cfg");
        fs::write(&file, config)?;
        let mut command = place.command("haproxy");
        command.arg("-db").arg("-f").arg(&file);
        let mut process = Process::start("haproxy", command, &dir.path().join("log"), "run tests/setup")?;
        process.wait_until("all ports to listen", START, || {
            place.run(|| Ok(ports.iter().all(|port| ports::listening(*port)))).ok()?.then_some(())
        })?;
        Ok(Self { process, _dir: dir })
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, Behaviour};
    use crate::traffic::{Shape, Traffic};
    use crate::wait;

    #[test]
    fn proxies() {
        let backend = Backend::start(Behaviour::Echo).unwrap();
        let port = ports::reserve().unwrap();
        let config = format!(
            "defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
listen l
    bind {}
    server s {}
",
            port.address(),
            backend.address()
        );
        let haproxy = Haproxy::start(&Place::Here, &config, &[port.number()]).unwrap();
        let traffic = Traffic::start(port.address(), Shape::short(2)).unwrap();
        wait::until("traffic", START, || (traffic.finished() > 10).then_some(())).unwrap();
        assert_eq!(traffic.stop().unwrap().failures, [""; 0]);
        drop(haproxy);
        assert!(!ports::listening(port.number()));
    }

    #[test]
    fn a_wrong_configuration_is_shown() {
        let error = Haproxy::start(&Place::Here, "nonsense\n", &[1]).unwrap_err();
        assert!(format!("{error:#}").contains("unknown keyword 'nonsense'"), "{error:#}");
    }
}
