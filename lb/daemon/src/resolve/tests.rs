use std::net::SocketAddr;
use std::time::Instant;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record};
use tokio::net::UdpSocket;

use super::*;

/// Answers each question by `answer`; what is `None` gets no answer at all.
async fn name_server<F>(answer: F) -> SocketAddr
where
    F: Fn(&str, RecordType) -> Option<Result<Vec<IpAddr>, ResponseCode>> + Send + 'static,
{
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((len, client)) = socket.recv_from(&mut packet).await {
            let mut message = Message::from_vec(&packet[..len]).unwrap();
            let question = message.queries[0].clone();
            match answer(&question.name().to_string(), question.query_type()) {
                None => continue,
                Some(Err(code)) => message.metadata.response_code = code,
                Some(Ok(addresses)) => {
                    let record = |ip| Record::from_rdata(question.name().clone(), 60, RData::from(ip));
                    message.add_answers(addresses.into_iter().map(record));
                }
            }
            message.metadata.message_type = MessageType::Response;
            socket.send_to(&message.to_vec().unwrap(), client).await.unwrap();
        }
    });
    address
}

/// Looks up with that name server only.
fn names(server: SocketAddr, timeout: Duration) -> Names {
    let config = config::Resolver { servers: vec![server], interval: Duration::from_secs(10), timeout };
    Names { hosts: "/nonexistent/hosts".into(), ..Names::new(config) }
}

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().unwrap()).collect()
}

fn whole(list: &[&str]) -> Result<Found, ResolveError> {
    Ok(Found { addresses: ips(list), unknown: None })
}

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn every_address_of_both_families_in_order() {
    let server = name_server(|name, kind| match (name, kind) {
        ("empi.example.", RecordType::A) => Some(Ok(ips(&["192.0.2.9", "192.0.2.1", "192.0.2.9"]))),
        ("empi.example.", RecordType::AAAA) => Some(Ok(ips(&["2001:db8::1"]))),
        _ => Some(Err(ResponseCode::NXDomain)),
    });
    let names = names(server.await, LONG);
    let found = whole(&["192.0.2.1", "192.0.2.9", "2001:db8::1"]);
    assert_eq!(names.lookup("empi.example").await, found);
    assert_eq!(names.lookup("empi.example.").await, found);
    assert_eq!(names.lookup("uaop.example").await, Err(ResolveError::NotFound));
}

#[tokio::test]
async fn an_address_is_its_own() {
    let names = names("127.0.0.1:1".parse().unwrap(), SHORT);
    assert_eq!(names.lookup("192.0.2.1").await, whole(&["192.0.2.1"]));
    assert_eq!(names.lookup("2001:db8::1").await, whole(&["2001:db8::1"]));
}

#[tokio::test]
async fn one_family_is_enough() {
    let servfail = |name: &str, kind| match (name, kind) {
        (_, RecordType::A) => Some(Ok(ips(&["192.0.2.1"]))),
        ("broken.example.", _) => Some(Err(ResponseCode::ServFail)),
        ("mute.example.", _) => None,
        _ => Some(Ok(Vec::new())),
    };
    let server = name_server(servfail).await;
    for (host, timeout, unknown) in [
        ("a.example", LONG, None),
        ("broken.example", LONG, Some(Family::V6)),
        ("mute.example", SHORT, Some(Family::V6)),
    ] {
        let found = Found { addresses: ips(&["192.0.2.1"]), unknown };
        assert_eq!(names(server, timeout).lookup(host).await, Ok(found), "{host}");
    }
}

#[tokio::test]
async fn none_of_one_family_and_silence_about_the_other_is_no_answer() {
    let server = name_server(|_, kind| (kind == RecordType::A).then(|| Ok(Vec::new()))).await;
    assert_eq!(names(server, SHORT).lookup("a.example").await, Err(ResolveError::Timeout));
}

#[tokio::test]
async fn trouble_is_told_apart_from_no_such_host() {
    let server = name_server(|name, _| match name {
        "mute.example." => None,
        "broken.example." => Some(Err(ResponseCode::ServFail)),
        _ => Some(Ok(Vec::new())),
    })
    .await;
    assert_eq!(names(server, LONG).lookup("empty.example").await, Err(ResolveError::NotFound));
    assert_eq!(names(server, LONG).lookup("broken.example").await.unwrap_err().reason(), "failed");
    assert_eq!(names(server, LONG).lookup("not a..name").await.unwrap_err().reason(), "name");

    let before = Instant::now();
    assert_eq!(names(server, SHORT).lookup("mute.example").await, Err(ResolveError::Timeout));
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nothing_is_cached() {
    let asked = std::sync::atomic::AtomicU8::new(0);
    let server = name_server(move |_, kind| match kind {
        RecordType::A => {
            let n = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(Ok(vec![Ipv4Addr::new(192, 0, 2, n).into()]))
        }
        _ => Some(Ok(Vec::new())),
    });
    let names = names(server.await, LONG);
    assert_eq!(names.lookup("empi.example").await, whole(&["192.0.2.0"]));
    assert_eq!(names.lookup("empi.example").await, whole(&["192.0.2.1"]));
}

#[tokio::test]
async fn the_hosts_file_goes_before_dns_and_is_read_each_time() {
    let server = name_server(|_, _| Some(Ok(ips(&["192.0.2.99"]))));
    let hosts = tempfile::NamedTempFile::new().unwrap();
    let names = Names { hosts: hosts.path().into(), ..names(server.await, LONG) };
    std::fs::write(hosts.path(), "# ours\n192.0.2.7 empi-a EMPI.example # the first\n2001:db8::7 empi-a\n")
        .unwrap();
    assert_eq!(names.lookup("empi-a").await, whole(&["192.0.2.7", "2001:db8::7"]));
    assert_eq!(names.lookup("empi.example").await, whole(&["192.0.2.7"]));
    std::fs::write(hosts.path(), "192.0.2.8 empi-a\n").unwrap();
    assert_eq!(names.lookup("empi-a").await, whole(&["192.0.2.8"]));
}

#[tokio::test]
async fn the_hosts_name_servers_are_taken_if_none_are_configured() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("resolv.conf");
    std::fs::write(&path, "nameserver 192.0.2.53\nsearch bank.example\noptions ndots:2\n").unwrap();
    let (config, options) = system(&path).await;
    assert_eq!(config.name_servers()[0].ip, ips(&["192.0.2.53"])[0]);
    assert_eq!(config.search()[0].to_string(), "bank.example");
    assert_eq!(options.ndots, 2);

    for text in [None, Some("# nothing\n")] {
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let (config, _) = system(&path).await;
        assert_eq!(config.name_servers()[0].ip, Ipv4Addr::LOCALHOST);
    }
}
