//! The control port.

use carrier::behaviour::Ending;
use carrier::control::api::{Disconnect, MoRequest, Page};
use carrier::control::client::ClientError;
use domain::MessageText;
use runtime::http_client::{HttpClient, Peer};
use wire::cmpp::Cmpp;

use crate::carrier::start;
use crate::customer::{Customer, PATIENCE, Seen, credentials, message};

const ACCOUNT: &str = "  a: { protocol: cmpp-3.0, id: '901234', secret: secret }";

#[tokio::test]
async fn messages_are_read_page_by_page() {
    let running = start("", ACCOUNT).await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    for number in 0..5 {
        customer.code(&message(number, "hello")).await;
    }
    let page = |after, limit| running.control.messages(Page { after, limit: Some(limit) });
    let numbers = |messages: Vec<carrier::record::Message>| messages.iter().map(|m| m.n).collect::<Vec<_>>();
    assert_eq!(numbers(page(0, 2).await.unwrap()), [1, 2]);
    assert_eq!(numbers(page(2, 10).await.unwrap()), [3, 4, 5]);
    assert_eq!(numbers(page(5, 10).await.unwrap()), [0; 0]);
}

#[tokio::test]
async fn connections_are_shown_and_can_be_ended() {
    let running = start("", ACCOUNT).await;
    let address = running.addresses.cmpp.unwrap();
    let mut one = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    let mut two = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    let status = &running.control.accounts().await.unwrap()[0];
    assert_eq!(
        (status.name.as_str(), status.protocol.as_str(), status.id.as_str()),
        ("a", "cmpp-3.0", "901234")
    );
    assert_eq!(status.behaviour["report"], "1s");
    let [first, second] = &status.connections[..] else { panic!("two connections") };
    assert!(first.carries && !first.dialled && first.peer.ip().is_loopback());
    let end = |connection, how| Disconnect { account: "a".to_owned(), how, connection };
    let ended = running.control.disconnect(&end(Some(second.id), Ending::Terminate)).await.unwrap();
    assert_eq!(ended.connections, 1);
    assert!(matches!(two.next().await, Seen::Down(_)));
    assert_eq!(one.code(&message(1, "hello")).await, 0);
    running.control.disconnect(&end(None, Ending::Reset)).await.unwrap();
    assert!(matches!(one.next().await, Seen::Lost));
    running.counts("a", |counts| counts.connections == 0).await;
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_the_reason() {
    let running = start("", ACCOUNT).await;
    let refused = |error: ClientError| match error {
        ClientError::Refused(problem) => problem.to_string(),
        other => panic!("{other}"),
    };
    let control = &running.control;
    let unknown = refused(control.set_behaviour("b", "{}").await.unwrap_err());
    assert_eq!(unknown, "no account is called `b`; there are a");
    let faulty = refused(control.set_behaviour("a", "{ anser: 5ms, unanswered: 1 }").await.unwrap_err());
    assert_eq!(
        faulty,
        "this is not a behaviour\nline 1: unanswered: this is not of the expected type (here: 1); write a share such as \
         0.1 % or 5 %\nline 1: anser: `anser` is not a key here (here: \"5ms\"); did you mean `answer`?"
    );
    let mo = MoRequest {
        account: "a".to_owned(),
        from: "13800138000".parse().unwrap(),
        to: "1069".parse().unwrap(),
        text: MessageText("余".repeat(67 * 256)),
        coding: Default::default(),
    };
    let long = refused(control.mo(&mo).await.unwrap_err());
    assert!(long.contains("parts"), "{long}");
}

#[tokio::test]
async fn metrics_and_health_are_served_too() {
    let running = start("", ACCOUNT).await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    customer.code(&message(1, "hello")).await;
    let client = HttpClient::new(Peer::Tcp(running.addresses.control), PATIENCE);
    let get = async |path: &str| {
        let answer = client.get(path).await.unwrap();
        assert!(answer.status.is_success(), "{path}");
        String::from_utf8(answer.body.to_vec()).unwrap()
    };
    let metrics = get("/metrics").await;
    for line in [
        "carrier_submits_total{account=\"a\"} 1",
        "carrier_answers_total{account=\"a\",code=\"0\"} 1",
        "carrier_connections{account=\"a\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert_eq!((get("/healthz").await.as_str(), get("/readyz").await.as_str()), ("ok\n", "ready\n"));
}
