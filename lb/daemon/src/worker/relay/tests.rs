use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

/// The outer ends of a relay whose inner ends are in-memory pipes of `capacity` bytes.
struct Ends {
    client: DuplexStream,
    server: DuplexStream,
}

fn run(
    capacity: usize,
    header: &[u8],
    early: &[u8],
) -> (Ends, tokio::task::JoinHandle<(EndReason, u64, u64)>) {
    let (client, mut near_client) = duplex(capacity);
    let (server, mut near_server) = duplex(capacity);
    let (header, early) = (header.to_vec(), early.to_vec());
    let task = tokio::task::spawn_local(async move {
        let (traffic, scratch) = (Traffic::default(), Scratch::new());
        let reason =
            Relay::new(&mut near_client, &mut near_server, header, &early, &traffic, &scratch, |_| ()).await;
        (reason, traffic.received.get(), traffic.sent.get())
    });
    (Ends { client, server }, task)
}

async fn local(test: impl Future<Output = ()>) {
    tokio::task::LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn bytes_pass_both_ways_through_a_narrow_pipe() {
    local(async {
        let (Ends { client, server }, relay) = run(7, b"", b"");
        let data: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
        let (mut client_read, mut client_write) = tokio::io::split(client);
        let (mut server_read, mut server_write) = tokio::io::split(server);
        let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
        let up = async { client_write.write_all(&data).await.and(client_write.shutdown().await) };
        let down = async { server_write.write_all(&data).await.and(server_write.shutdown().await) };
        let (up, down, to_server, to_client) = tokio::join!(
            up,
            down,
            server_read.read_to_end(&mut at_server),
            client_read.read_to_end(&mut at_client)
        );
        up.unwrap();
        down.unwrap();
        to_server.unwrap();
        to_client.unwrap();
        assert!(at_server == data && at_client == data);
        let (_, received, sent) = relay.await.unwrap();
        assert_eq!((received, sent), (100_000, 100_000));
    })
    .await;
}

#[tokio::test]
async fn a_half_closed_connection_goes_on_in_the_other_direction() {
    local(async {
        let (Ends { mut client, mut server }, relay) = run(64, b"", b"");
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = Vec::new();
        server.read_to_end(&mut question).await.unwrap();
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!((&question[..], &answer[..]), (&b"question"[..], &b"answer"[..]));
        assert_eq!(relay.await.unwrap(), (EndReason::ClientClosed, 8, 6));
    })
    .await;
}

#[tokio::test]
async fn header_and_early_bytes_come_first_and_the_header_is_not_counted() {
    local(async {
        let (Ends { mut client, mut server }, relay) = run(5, b"PROXY header\r\n", b"early ");
        let mut seen = Vec::new();
        let send = async {
            client.write_all(b"late").await?;
            client.shutdown().await
        };
        let (sent, read) = tokio::join!(send, server.read_to_end(&mut seen));
        sent.unwrap();
        read.unwrap();
        assert_eq!(seen, b"PROXY header\r\nearly late");
        drop(server);
        assert_eq!(relay.await.unwrap(), (EndReason::ClientClosed, 10, 0));
    })
    .await;
}

#[tokio::test]
async fn nothing_more_is_read_while_the_other_side_does_not_take_it() {
    local(async {
        let (Ends { mut client, server }, relay) = run(16, b"", b"");
        // 16 bytes in each of the two pipes and one read kept by the relay; the rest must not fit
        let mut written = 0;
        while let Ok(result) =
            tokio::time::timeout(std::time::Duration::from_millis(20), client.write(&[7; 8])).await
        {
            written += result.unwrap();
        }
        assert!(written <= 16 * 3, "{written}");
        drop(server);
        drop(client);
        relay.await.unwrap();
    })
    .await;
}

/// As a socket after RST: the error is told to the writer, and the reader finds an end.
struct Failed;

impl AsyncRead for Failed {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Failed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_end_behind_a_failure_is_not_passed_on_as_a_proper_end() {
    let (mut client, mut near_client) = duplex(64);
    client.write_all(b"question").await.unwrap();
    let (traffic, scratch) = (Traffic::default(), Scratch::new());
    let reason = Relay::new(&mut near_client, &mut Failed, Vec::new(), &[], &traffic, &scratch, |_| ()).await;
    assert_eq!(reason, EndReason::ServerReset);
    let end = tokio::time::timeout(std::time::Duration::ZERO, client.read_u8()).await;
    assert!(end.is_err(), "the client was told of an end: {end:?}");
}

#[tokio::test]
async fn it_ends_when_told() {
    local(async {
        let (client, mut near_client) = duplex(8);
        let (server, mut near_server) = duplex(8);
        let (traffic, scratch) = (std::rc::Rc::new(Traffic::default()), Scratch::new());
        let teller = std::rc::Rc::clone(&traffic);
        let relay = tokio::task::spawn_local(async move {
            Relay::new(&mut near_client, &mut near_server, Vec::new(), &[], &traffic, &scratch, |_| ()).await
        });
        tokio::task::yield_now().await;
        teller.end(EndReason::ServerDown);
        teller.end(EndReason::Idle);
        assert_eq!(relay.await.unwrap(), EndReason::ServerDown);
        drop((client, server));
    })
    .await;
}
