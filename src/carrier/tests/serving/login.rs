//! Who may log in.

use std::time::Duration;

use wire::cmpp::Cmpp;
use wire::protocol::{Credentials, Secret};
use wire::session::Down;
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use crate::carrier::start;
use crate::customer::{Customer, Seen, credentials, message};

const ACCOUNTS: &str = "
  a: { protocol: cmpp-3.0, id: '901234', secret: secret, connections: 1 }
  far: { protocol: cmpp-3.0, id: '901235', secret: secret, sources: [192.0.2.0/24] }
  near: { protocol: cmpp-2.0, id: '901236', secret: secret, sources: [192.0.2.0/24, 127.0.0.1] }
  u: { protocol: sgip-1.2, id: bank, secret: secret }
  t: { protocol: smgp-3.0, id: '12345678', secret: secret, modes: transmit }
";

#[tokio::test]
async fn a_login_that_is_refused_is_told_why() {
    let running = start("", ACCOUNTS).await;
    let at = running.addresses;
    let cmpp =
        |id: &str, version| Customer::<Cmpp>::try_connect(at.cmpp.unwrap(), credentials(id, version, 0));
    let refused = |status| Some(Some(Down::Refused { status }));
    assert_eq!(cmpp("999999", 0x30).await.err(), refused(3));
    assert_eq!(cmpp("901234", 0x20).await.err(), refused(4));
    assert_eq!(cmpp("901235", 0x30).await.err(), refused(2));
    let wrong = Credentials { secret: Secret("Secret".to_owned()), ..credentials("901234", 0x30, 0) };
    let wrong = Customer::<Cmpp>::try_connect(at.cmpp.unwrap(), wrong).await;
    assert_eq!(wrong.err(), refused(3));
    let first = cmpp("901234", 0x30).await;
    assert!(first.is_ok());
    assert_eq!(cmpp("901234", 0x30).await.err(), refused(5));
    assert!(cmpp("901236", 0x20).await.is_ok());

    let sgip = |mode| Customer::<Sgip>::try_connect(at.sgip.unwrap(), credentials("bank", 0x12, mode));
    assert_eq!(sgip(2).await.err(), refused(4));
    assert!(sgip(1).await.is_ok());
    let smgp = |mode| Customer::<Smgp>::try_connect(at.smgp.unwrap(), credentials("12345678", 0x30, mode));
    assert!(smgp(0).await.is_err());
    assert!(smgp(2).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_ends_makes_room_for_another() {
    let running = start("", ACCOUNTS).await;
    let address = running.addresses.cmpp.unwrap();
    let first = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    running.counts("a", |counts| counts.connections == 1).await;
    drop(first);
    running.counts("a", |counts| counts.connections == 0).await;
    let mut second = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    assert_eq!(second.code(&message(1, "hello")).await, 0);
}

#[tokio::test]
async fn a_connection_without_a_login_ends() {
    let running = start("timers: { login: 50ms }", ACCOUNTS).await;
    let mut stream = tokio::net::TcpStream::connect(running.addresses.cmpp.unwrap()).await.unwrap();
    let mut buffer = [0; 64];
    let read = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer);
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn more_submits_than_the_window_allows_are_refused_as_too_fast() {
    let top = "behaviour: { answer: 1h }";
    let running = start(top, "  a: { protocol: cmpp-3.0, id: '901234', secret: secret, window: 3 }").await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    for number in 0..4 {
        customer.submit(&message(number, "hello"));
    }
    assert_eq!(customer.answer().await.code, 8);
    let counts = running.counts("a", |counts| counts.oddities == 1).await;
    assert_eq!((counts.submits, counts.codes.get(&8)), (4, Some(&1)));
    let status = running.control.accounts().await.unwrap();
    assert_eq!((status[0].connections[0].submits, status[0].connections[0].window), (3, 3));
}

#[tokio::test]
async fn a_carrier_that_stops_ends_its_connections_and_closes_its_record() {
    let running = start("", ACCOUNTS).await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    assert_eq!(customer.code(&message(1, "hello")).await, 0);
    let (down, ()) = tokio::join!(customer.next(), running.stop());
    assert!(matches!(down, Seen::Down(Down::PeerTerminated)), "{down:?}");
}
