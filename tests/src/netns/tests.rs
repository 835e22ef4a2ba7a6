use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::*;
use crate::wait;

#[test]
fn hosts_reach_each_other_and_not_this_host() {
    if skip() {
        return;
    }
    let mut net = Net::new().unwrap();
    let a = net.host("a", &["192.0.2.1/24", "2001:db8::1/64"]).unwrap();
    let b = net.host("b", &["192.0.2.2/24", "2001:db8::2/64"]).unwrap();
    for address in ["192.0.2.1:7", "[2001:db8::1]:7"] {
        let listener = a.run(|| Ok(TcpListener::bind(address)?)).unwrap();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(b"a").unwrap());
        let mut answer = String::new();
        b.run(|| Ok(TcpStream::connect(address)?.read_to_string(&mut answer)?)).unwrap();
        server.join().unwrap();
        assert_eq!(answer, "a");
    }
    assert!(TcpListener::bind("192.0.2.1:7").is_err(), "the address must not be one of this host");
}

#[test]
fn a_pulled_cable_is_silence() {
    if skip() {
        return;
    }
    let mut net = Net::new().unwrap();
    let a = net.host("a", &["192.0.2.1/24"]).unwrap();
    let b = net.host("b", &["192.0.2.2/24"]).unwrap();
    let _listener = a.run(|| Ok(TcpListener::bind("192.0.2.1:7")?)).unwrap();
    let address = "192.0.2.1:7".parse().unwrap();
    let connects = || b.run(|| Ok(TcpStream::connect_timeout(&address, Duration::from_millis(200))?));
    connects().unwrap();
    a.unplug().unwrap();
    connects().unwrap_err();
    a.plug().unwrap();
    wait::until("the cable to work again", Duration::from_secs(10), || connects().ok()).unwrap();
}

#[test]
fn commands_run_inside_and_nothing_stays() {
    if skip() {
        return;
    }
    let mut net = Net::new().unwrap();
    let host = net.host("c", &["198.51.100.9/24"]).unwrap();
    let output = host.place().command("ip").args(["-br", "address", "show", "eth0"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("198.51.100.9/24"));
    let path = Path::new(NAMESPACES).join(host.namespace());
    assert!(path.exists());
    drop(net);
    assert!(!path.exists());
}
