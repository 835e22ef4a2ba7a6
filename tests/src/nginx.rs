//! The distribution's nginx as a stream proxy, or as an HTTP server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::place::Place;
use crate::ports;
use crate::process::Process;

const MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
const START: Duration = Duration::from_secs(10);

/// A running nginx, with its files in a directory of its own; killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    dir: TempDir,
}

impl Nginx {
    /// Starts nginx with `workers` processes and what goes inside `stream { }`; waits until it listens on `ports`.
    ///
    /// # Errors
    /// It is not installed, ends at once or does not listen in time; with its log.
    pub fn stream(place: &Place, workers: usize, stream: &str, ports: &[u16]) -> Result<Self> {
        Self::start(place, workers, &format!("stream {{\n{stream}\n}}"), ports)
    }

    /// As [`Nginx::stream`], with one worker and what goes inside `http { }`.
    ///
    /// # Errors
    /// As [`Nginx::stream`].
    pub fn http(place: &Place, http: &str, ports: &[u16]) -> Result<Self> {
        // temporary files in its own directory, which `-p` names; the distribution's need root
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {kind};\n"))
            .collect();
        Self::start(place, 1, &format!("http {{\naccess_log off;\n{temporary}{http}\n}}"), ports)
    }

    fn start(place: &Place, workers: usize, section: &str, ports: &[u16]) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("nginx-").tempdir()?;
        let file = dir.path().join("nginx.conf");
        fs::write(&file, config(dir.path(), workers, section)?)?;
        let mut command = place.command("nginx");
        command.arg("-p").arg(dir.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        let mut process = Process::start("nginx", command, &dir.path().join("log"), "run tests/setup")?;
        process.wait_until("all ports to listen", START, || {
            place.run(|| Ok(ports.iter().all(|port| ports::listening(*port)))).ok()?.then_some(())
        })?;
        Ok(Self { process, dir })
    }

    /// The file with the master's process id. It stays when nginx is killed.
    pub fn pid_file(&self) -> PathBuf {
        pid_file(self.dir.path())
    }

    /// The master process; its workers are its children.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn config(dir: &Path, workers: usize, section: &str) -> Result<String> {
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE).context("cannot read the limit of open files")?;
    let load = if Path::new(MODULE).exists() { format!("load_module {MODULE};\n") } else { String::new() };
    let user = if geteuid().is_root() { "user root;\n" } else { "" };
    let pid = pid_file(dir);
    // Each connection table costs 232 bytes per slot, and a proxied connection needs two slots.
    let slots = files.min(65_536);
    Ok(format!(
        "{load}{user}daemon off;
pid {pid};
error_log stderr error;
worker_processes {workers};
worker_rlimit_nofile {files};
events {{ worker_connections {slots}; }}
{section}
",
        pid = pid.display()
    ))
}

fn pid_file(dir: &Path) -> PathBuf {
    dir.join("nginx.pid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, Behaviour};
    use crate::traffic::{Shape, Traffic};
    use crate::{usage, wait};

    #[test]
    fn proxies() {
        let backend = Backend::start(Behaviour::Echo).unwrap();
        let port = ports::reserve().unwrap();
        let stream = format!("server {{ listen {}; proxy_pass {}; }}", port.address(), backend.address());
        let mut nginx = Nginx::stream(&Place::Here, 2, &stream, &[port.number()]).unwrap();
        let pid = nginx.process().pid();
        // The master listens before it has its workers.
        wait::until("two workers", START, || (usage::descendants(pid).len() == 2).then_some(())).unwrap();
        let traffic = Traffic::start(port.address(), Shape::short(2)).unwrap();
        wait::until("traffic", START, || (traffic.finished() > 10).then_some(())).unwrap();
        assert_eq!(traffic.stop().unwrap().failures, [""; 0]);
        drop(nginx);
        assert!(!ports::listening(port.number()));
    }

    #[test]
    fn a_wrong_configuration_is_shown() {
        let error = Nginx::stream(&Place::Here, 1, "nonsense;", &[1]).unwrap_err();
        assert!(format!("{error:#}").contains("unknown directive \"nonsense\""), "{error:#}");
    }
}
