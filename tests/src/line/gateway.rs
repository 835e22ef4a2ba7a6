//! `smsline gateway`.

use std::ffi::OsString;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::keys::quoted;
use super::node::{Node, Prepared, START};
use super::{Keys, Uplink};

/// A gateway with its files in a directory of its own; killed when dropped. It can be killed and started again as often
/// as a test likes, and finds its files as it left them.
#[derive(Debug)]
pub struct Gateway {
    node: Node,
    /// Its spool is on a disk of its own, in a mount namespace.
    on_small_disk: bool,
}

impl Gateway {
    /// Starts it and waits until it is ready. `config` has the whole file but `gateway`, `spool`, `uplink` and `metrics`,
    /// which are the kit's.
    ///
    /// # Errors
    /// There is no binary, or it ends or is not ready in time; with its log.
    pub fn start(config: &Keys) -> Result<Self> {
        let mut gateway = Self::spawn(config)?;
        gateway.wait_ready()?;
        Ok(gateway)
    }

    /// As [`Gateway::start`], for one whose carrier is not there: it waits only until it serves.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn spawn(config: &Keys) -> Result<Self> {
        Self::launch(Node::prepare("gateway")?, config, false)
    }

    /// As [`Gateway::start`], with a disk of so many bytes for the spool. Needs root.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn start_on_small_disk(config: &Keys, bytes: u64) -> Result<Self> {
        let prepared = Node::prepare("gateway")?;
        let script = r#"mount -t tmpfs -o "size=$0" none "$1" && shift && exec "$@""#;
        let before = ["unshare", "--mount", "sh", "-c", script, &bytes.to_string()].map(OsString::from);
        let spool = spool(prepared.dir()).into_os_string();
        let prepared = prepared.under(before.into_iter().chain([spool]));
        let mut gateway = Self::launch(prepared, config, true)?;
        gateway.wait_ready()?;
        Ok(gateway)
    }

    /// Starts it once more with the same files, after it has ended, and waits until it serves.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn start_again(&mut self) -> Result<()> {
        self.node.start_again()?;
        self.wait_serving()
    }

    /// Waits until it takes messages.
    ///
    /// # Errors
    /// It ends first or takes too long; with its log.
    pub fn wait_serving(&mut self) -> Result<()> {
        let uplink = self.uplink();
        self.node.process().wait_until("its uplink", START, || uplink.status().ok()).map(drop)
    }

    /// Where UAOPs hand messages in.
    #[must_use]
    pub fn uplink(&self) -> Uplink {
        Uplink::new(self.node.dir().join("uplink.sock"))
    }

    /// The directory that the gateway sees as its spool; of one on a small disk, as seen from here.
    #[must_use]
    pub fn spool(&mut self) -> PathBuf {
        let spool = spool(self.node.dir());
        if !self.on_small_disk {
            return spool;
        }
        let inside = spool.strip_prefix("/").unwrap_or(&spool);
        PathBuf::from(format!("/proc/{}/root", self.node.process().pid())).join(inside)
    }

    fn launch(prepared: Prepared, config: &Keys, on_small_disk: bool) -> Result<Self> {
        let dir = prepared.dir();
        let config = config
            .clone()
            .set("gateway", "gw")
            .set("spool", quoted(spool(dir).display()))
            .set("uplink", quoted(dir.join("uplink.sock").display()));
        fs::create_dir(spool(dir))?;
        let mut gateway = Self { node: prepared.start(config)?, on_small_disk };
        gateway.wait_serving()?;
        Ok(gateway)
    }
}

impl Deref for Gateway {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl DerefMut for Gateway {
    fn deref_mut(&mut self) -> &mut Node {
        &mut self.node
    }
}

fn spool(dir: &Path) -> PathBuf {
    dir.join("spool")
}
