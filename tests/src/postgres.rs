//! A PostgreSQL server of one's own: the distribution's, durable as in earnest, with its files in a directory that goes
//! with it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use crate::ports::{self, Port};
use crate::process::Process;

const VERSIONS: &str = "/usr/lib/postgresql";
/// A restart after a kill goes through the log first.
const START: Duration = Duration::from_secs(60);
const USER: &str = "smsline";
const PASSWORD: &str = "not-so-secret";

/// A running server on a loopback port (with a password) and on a Unix socket (without); killed when dropped.
#[derive(Debug)]
pub struct Postgres {
    // killed before its directory goes
    process: Option<Process>,
    starts: u32,
    port: Port,
    programs: PathBuf,
    dir: TempDir,
}

impl Postgres {
    /// Makes an empty server and starts it. It does not run as root: root's runs as the user `postgres`.
    ///
    /// # Errors
    /// It is not installed, or does not start; with its log.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        let dir = tempfile::Builder::new().prefix("postgres-").tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
        if let Some(user) = other_user()? {
            chown(dir.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        let mut server = Self { process: None, starts: 0, port: ports::reserve()?, programs, dir };
        server.make()?;
        server.start_again()?;
        Ok(server)
    }

    /// One for all tests of this process that run at the same time; not to be killed.
    ///
    /// # Errors
    /// As for [`Postgres::start`].
    pub fn shared() -> Result<Arc<Self>> {
        // A static is never dropped, and would leave the server behind.
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// Makes a database with a name that no other test of this process has, and gives the name.
    ///
    /// # Errors
    /// As for [`Postgres::database`].
    pub fn new_database(&self) -> Result<String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.database(&name).map(|_| name)
    }

    /// Makes a database and gives the URL of it.
    ///
    /// # Errors
    /// There is one of this name, or the server is gone.
    pub fn database(&self, name: &str) -> Result<String> {
        self.run("createdb", &["-h", &self.folder(), "-p", &self.number(), "-U", USER, name])?;
        Ok(self.url(name))
    }

    /// Of a database, without the password.
    pub fn url(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user={USER} dbname={database}", self.number())
    }

    /// As [`Postgres::url`], by the Unix socket, which needs no password.
    pub fn socket_url(&self, database: &str) -> String {
        format!("host={} port={} user={USER} dbname={database}", self.folder(), self.number())
    }

    /// Of its user.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// What stands behind `store:` in the file of a role.
    pub fn store(&self, database: &str) -> String {
        format!("{{ postgres: {{ url: \"{}\", password: \"{PASSWORD}\" }} }}", self.url(database))
    }

    /// What psql answers to a statement, one row a line, columns separated by `|`.
    ///
    /// # Errors
    /// What psql says.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        let (folder, number) = (self.folder(), self.number());
        let place = ["-h", &folder, "-p", &number, "-U", USER, "-d", database];
        self.run("psql", &[&place[..], &["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]].concat())
    }

    /// The main process; the others are its children. `None` after a kill.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// SIGKILL to all its processes, as if the power had gone; returns when they are gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it after a kill, on the same port, and waits until it accepts connections.
    ///
    /// # Errors
    /// It does not start in time; with its log.
    pub fn start_again(&mut self) -> Result<()> {
        self.kill();
        self.starts += 1;
        let mut command = self.command("postgres")?;
        command.arg("-D").arg(self.data());
        for setting in [
            format!("port={}", self.port.number()),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder()),
            "max_connections=200".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        let log = self.dir.path().join(format!("log.{}", self.starts));
        let mut process = Process::start("postgres", command, &log, "run tests/setup")?;
        process.wait_until("that it accepts connections", START, || {
            let log = fs::read_to_string(&log).ok()?;
            log.contains("database system is ready to accept connections").then_some(())
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn make(&self) -> Result<()> {
        let file = self.dir.path().join("password");
        fs::write(&file, PASSWORD)?;
        let (data, file) = (self.data().display().to_string(), file.display().to_string());
        let user = ["-U", USER, "--pwfile", &file, "--auth-local=trust", "--auth-host=scram-sha-256"];
        // durable from its first start on
        let rest = ["-D", &data, "--no-sync", "--no-locale", "-E", "UTF8"];
        self.run("initdb", &[&user[..], &rest].concat()).map(drop)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self
            .command(program)?
            .args(arguments)
            .output()
            .with_context(|| format!("cannot start {program}: run tests/setup"))?;
        if !output.status.success() {
            bail!("{program} ({}): {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.dir.path());
        if let Some(user) = other_user()? {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Ok(command)
    }

    fn folder(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn number(&self) -> String {
        self.port.number().to_string()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

/// The user to become.
fn other_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres")?.context("there is no user `postgres`: run tests/setup")?;
    Ok(Some(user))
}

/// The folder of the newest version's programs. Debian has them outside of the path.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).with_context(|| format!("no {VERSIONS}: run tests/setup"))?;
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| number(path))
        .map(|path| path.join("bin"))
        .with_context(|| format!("no server below {VERSIONS}: run tests/setup"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_before_a_kill_is_there_after_it() {
        let mut server = Postgres::start().unwrap();
        server.database("x").unwrap();
        server.query("x", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)").unwrap();
        assert!(server.query("x", "SELECT 1/0").unwrap_err().to_string().contains("division by zero"));
        server.kill();
        assert!(!ports::listening(server.port.number()));
        assert!(server.query("x", "SELECT 1").is_err());
        server.start_again().unwrap();
        assert_eq!(server.query("x", "SELECT a FROM t ORDER BY a").unwrap(), "1\n2");
        assert_eq!(server.query("x", "SHOW fsync").unwrap(), "on");
    }
}
