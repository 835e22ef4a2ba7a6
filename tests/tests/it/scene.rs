//! What the tests of several topics need.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Output;

use serde_json::Value;
use testkit::lb::Lb;
use testkit::wait;

pub use crate::daemon::SOON;

/// Connects as a client that waits for nothing longer than [`SOON`].
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, SOON)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;
    Ok(stream)
}

/// Sends `text` and waits until it has come back.
pub fn echo(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer)?;
    assert_eq!(String::from_utf8_lossy(&answer), text);
    Ok(())
}

/// Opens a connection that has echoed once: it is served.
pub fn served(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address).unwrap();
    echo(&mut stream, "hello").unwrap();
    stream
}

/// The name that the server behind `address` says first.
pub fn name(address: SocketAddr) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(connect(address)?).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// `lb status --json`.
pub fn status(lb: &Lb) -> Value {
    serde_json::from_str(&lb.ctl(&["status", "--json"]).unwrap()).unwrap()
}

/// One server of a status.
pub fn server(status: &Value, pool: &str, name: &str) -> Value {
    let named = |list: &Value, name: &str| {
        let items = list.as_array().unwrap();
        items
            .iter()
            .find(|item| item["name"] == name)
            .unwrap_or_else(|| panic!("no {name} in {list}"))
            .clone()
    };
    named(&named(&status["pools"], pool)["servers"], name)
}

/// Waits until a server takes connections, or until it does not.
pub fn wait_usable(lb: &Lb, pool: &str, server: &str, usable: bool) {
    let labels = [("pool", pool), ("server", server)];
    lb.wait_metric("lb_server_usable", &labels, SOON, |value| (value == 1.0) == usable).unwrap();
}

/// Waits until lb has so many connections to servers.
pub fn wait_live(lb: &Lb, wanted: f64) {
    lb.wait_metric("lb_server_connections", &[], SOON, |live| live == wanted).unwrap();
}

/// Waits for a condition that comes at once.
pub fn soon<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    wait::until(what, SOON, condition).unwrap()
}

/// Standard output and error of a command, one after the other.
pub fn text(output: &Output) -> String {
    let part = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    part(&output.stdout) + &part(&output.stderr)
}

/// Inodes of the sockets that listen on this port of this host: the sockets' identities.
pub fn listening_sockets(port: u16) -> BTreeSet<String> {
    const LISTEN: &str = "0A";
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let wanted = format!(":{port:04X}");
    rows.filter(|row| row[1].ends_with(&wanted) && row[3] == LISTEN).map(|row| row[9].to_owned()).collect()
}
