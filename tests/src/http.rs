//! One HTTP request at a time, as an operator's `curl` would send it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// For connect, and for each read and write.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

/// Gets `path` from the calling thread's network.
///
/// # Errors
/// No connection, no answer in time, or an answer that is not HTTP.
pub fn get(address: SocketAddr, path: &str) -> Result<Response> {
    send(address, "GET", path, "")
}

/// Posts JSON to `path`.
///
/// # Errors
/// As [`get`].
pub fn post(address: SocketAddr, path: &str, body: &str) -> Result<Response> {
    send(address, "POST", path, body)
}

/// Puts `body` to `path`.
///
/// # Errors
/// As [`get`].
pub fn put(address: SocketAddr, path: &str, body: &str) -> Result<Response> {
    send(address, "PUT", path, body)
}

fn send(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<Response> {
    request(address, method, path, &[], body)
}

/// One request with headers of its own.
///
/// # Errors
/// As [`get`].
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Response> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("no connection to http://{address}{path}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    exchange_with(stream, &address.to_string(), method, path, headers, body)
}

/// Sends a request, with a body if there is one, and reads the answer up to the end of `stream`.
///
/// # Errors
/// The stream fails, or brings something that is not HTTP.
pub fn exchange(
    stream: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Response> {
    exchange_with(stream, host, method, path, &[], body)
}

fn exchange_with(
    mut stream: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Response> {
    // Version 1.0: the answer ends with the connection, and never comes in chunks.
    let mut request = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        request += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    request += "\r\n";
    request += body;
    stream.write_all(request.as_bytes()).with_context(|| format!("cannot ask {host} for {path}"))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("no answer from {host} to {path}"))?;
    parse(answer).map_err(|answer| anyhow::anyhow!("{host} answers {path} with {answer:?}"))
}

/// The answer itself if it is not HTTP.
fn parse(answer: String) -> Result<Response, String> {
    let status = |head: &str| head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok();
    let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| Some((status(head)?, body)));
    match parsed {
        Some((status, body)) => Ok(Response { status, body: body.to_owned() }),
        None => Err(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_status_and_body() {
        let parse = |answer: &str| parse(answer.to_owned());
        let response = parse("HTTP/1.0 503 Service Unavailable\r\ncontent-length: 3\r\n\r\nno\n").unwrap();
        assert_eq!(response, Response { status: 503, body: "no\n".to_owned() });
        assert!(parse("SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }
}
