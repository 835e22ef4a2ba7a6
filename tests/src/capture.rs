//! Wireshark's judgement of what went over a wire.

use std::fs;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::net::if_::if_nametoindex;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::netns::{BRIDGE, Host, Net};
use crate::place::Place;
use crate::process::Process;

/// TCP is the clients' traffic: much, and with checksums that veth leaves to the card that is not there.
const WANTED: &str = "not tcp";
/// The last frame of a capture: all that went before it is in the file when it is.
const MARK: &[u8] = b"testkit: end of the capture";
const DISCARD: u16 = 9;
const START: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(10);
/// Wireshark does not check it unless it is told to.
const CHECK_IPV4: &str = "ip.check_checksum:TRUE";
/// A bad checksum is only a warning to Wireshark, as are things that are right here. The mark may look like a protocol
/// that it is not.
const FAULTS: &str = "(_ws.malformed || _ws.expert.group == \"Checksum\" || _ws.expert.severity == \"Error\") \
                      && !(udp.dstport == 9)";

/// A running dumpcap; ended when dropped.
#[derive(Debug)]
pub struct Capture {
    process: Process,
    place: Place,
    interface: String,
    dir: TempDir,
}

/// What was captured.
#[derive(Debug)]
pub struct Frames {
    dir: TempDir,
}

impl Capture {
    /// Everything but TCP that goes over the switch; each frame once.
    ///
    /// # Errors
    /// As [`Capture::start`].
    pub fn at_switch(net: &Net) -> Result<Self> {
        Self::start(&net.switch(), BRIDGE)
    }

    /// Everything but TCP that one host sends and gets.
    ///
    /// # Errors
    /// As [`Capture::start`].
    pub fn at_host(host: &Host) -> Result<Self> {
        Self::start(&host.place(), "eth0")
    }

    /// Everything but TCP on an interface, from when this returns.
    ///
    /// # Errors
    /// dumpcap is missing, or does not start; with its log.
    pub fn start(place: &Place, interface: &str) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("capture-").tempdir()?;
        let mut command = place.command("dumpcap");
        command.args(["-q", "-i", interface, "-f", WANTED, "-w"]).arg(file(dir.path()));
        let log = dir.path().join("log");
        let mut process = Process::start("dumpcap", command, &log, "run tests/setup")?;
        // It says so when the interface is open.
        process.wait_until("the begin of the capture", START, || {
            fs::read_to_string(&log).ok()?.contains("File: ").then_some(())
        })?;
        Ok(Self { process, place: place.clone(), interface: interface.to_owned(), dir })
    }

    /// Ends it with all that went over the interface until now.
    ///
    /// # Errors
    /// The interface is down or without IPv6, or dumpcap has ended; with its log.
    pub fn stop(mut self) -> Result<Frames> {
        let file = file(self.dir.path());
        let (place, interface) = (&self.place, self.interface.as_str());
        let mark = || {
            // Again and again, because the interface's address may still be under way.
            place.run(|| mark(interface)).ok()?;
            contains(&fs::read(&file).ok()?, MARK).then_some(())
        };
        self.process.wait_until("the last frame", END, mark)?;
        self.process.signal(Signal::SIGINT)?;
        let status = self.process.wait_exit(END)?;
        if !status.success() {
            bail!("dumpcap ended ({status}):\n{}", self.process.log());
        }
        Ok(Frames { dir: self.dir })
    }
}

impl Frames {
    /// How many pass a display filter, for instance `vrrp.prio == 0 && ip.src == 192.0.2.11`.
    ///
    /// # Errors
    /// tshark is missing or does not understand the filter.
    pub fn count(&self, filter: &str) -> Result<usize> {
        Ok(self.fields(filter, &["frame.number"])?.len())
    }

    /// These fields of each frame that passes a display filter, in the order of the frames. A field that occurs more
    /// than once in a frame has commas; one that does not occur is empty.
    ///
    /// # Errors
    /// tshark is missing, or does not understand the filter or a field.
    pub fn fields(&self, filter: &str, fields: &[&str]) -> Result<Vec<Vec<String>>> {
        let mut command = Command::new("tshark");
        command.args(["-n", "-r"]).arg(self.path()).args(["-Y", filter, "-T", "fields"]);
        command.args(fields.iter().flat_map(|field| ["-e", field]));
        command.args(["-o", CHECK_IPV4]);
        let output = command.output().context("cannot run tshark: run tests/setup")?;
        if !output.status.success() {
            bail!("tshark -Y '{filter}': {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }

    /// Frames that are malformed, or have a wrong checksum of IPv4, VRRP, ICMPv6 or IGMP: source, protocol, what it is
    /// and what is wrong. VRRPv3 over IPv4 is taken to count the pseudo header, as keepalived does.
    ///
    /// # Errors
    /// As [`Frames::fields`].
    pub fn faults(&self) -> Result<Vec<String>> {
        let fields = ["_ws.col.Source", "_ws.col.Protocol", "_ws.col.Info", "_ws.expert.message"];
        let faults = self.fields(FAULTS, &fields)?;
        Ok(faults.into_iter().map(|fields| fields.join(" | ")).collect())
    }

    /// The file, in pcapng; gone when this is dropped.
    pub fn path(&self) -> PathBuf {
        file(self.dir.path())
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("frames.pcapng")
}

/// Sends [`MARK`] to everyone on the link, who have no use for it.
fn mark(interface: &str) -> Result<()> {
    let everyone = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let to = SocketAddrV6::new(everyone, DISCARD, 0, if_nametoindex(interface)?);
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?.send_to(MARK, to)?;
    Ok(())
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests;
