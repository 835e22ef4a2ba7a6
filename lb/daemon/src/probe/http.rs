//! An HTTP/1.1 request has the expected answer, over TCP or TLS.

use std::convert::Infallible;
use std::error::Error;
use std::future;
use std::io;
use std::net::IpAddr;

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use lb_core::config::{HttpCheck, ProxyVersion};
use lb_core::probe::BODY_LIMIT;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connect::connect;
use super::tls::Clients;
use super::{ProbeError, Target};

/// The head of an answer may be this long, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

pub(super) async fn probe(
    target: &Target,
    proxy: Option<ProxyVersion>,
    check: &HttpCheck,
    clients: &Clients,
) -> Result<(), ProbeError> {
    let request = request(target, check)?;
    let stream = connect(target, proxy).await?;
    match &check.tls {
        None => exchange(stream, request, |answer| judge(answer, check)).await,
        Some(tls) => {
            let stream = clients.handshake(stream, tls, target).await?;
            exchange(stream, request, |answer| judge(answer, check)).await
        }
    }
}

/// Sends a request over a connection of its own; returns the status of the answer.
///
/// # Errors
/// There is no answer.
pub async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    exchange(stream, request, |answer| future::ready(Ok(answer.status()))).await
}

fn request(target: &Target, check: &HttpCheck) -> Result<Request<Empty<Bytes>>, ProbeError> {
    Request::builder()
        .method(check.method.as_str())
        .uri(check.path.as_str())
        .header(HOST, check.host.clone().unwrap_or_else(|| authority(target, check.tls.is_some())))
        .header(USER_AGENT, "lb")
        // The server closes first, and so has the TIME_WAIT.
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| ProbeError::Local(format!("HTTP request: {error}")))
}

/// `Host` for a server that none is configured for; the scheme's own port is left out.
fn authority(target: &Target, tls: bool) -> String {
    let host = match (&target.host, target.address.ip()) {
        (Some(host), _) => host.clone(),
        (None, IpAddr::V4(ip)) => ip.to_string(),
        (None, IpAddr::V6(ip)) => format!("[{ip}]"),
    };
    match target.address.port() {
        443 if tls => host,
        80 if !tls => host,
        port => format!("{host}:{port}"),
    }
}

async fn exchange<S, B, T, F>(
    stream: S,
    request: Request<B>,
    judge: impl FnOnce(Response<Incoming>) -> F,
) -> Result<T, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    F: Future<Output = Result<T, ProbeError>>,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(answer_error)?;
    let drive = async {
        // What goes wrong with the connection goes wrong with the answer, which knows more.
        let _ = connection.await;
        future::pending::<Infallible>().await
    };
    let answer = async { judge(sender.send_request(request).await.map_err(answer_error)?).await };
    tokio::select! {
        result = answer => result,
        never = drive => match never {},
    }
}

async fn judge(response: Response<Incoming>, check: &HttpCheck) -> Result<(), ProbeError> {
    check
        .judge_status(response.status().as_u16())
        .map_err(|e| ProbeError::UnexpectedAnswer(e.to_string()))?;
    if check.body.is_none() {
        return Ok(());
    }
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame.map_err(answer_error)?.into_data() {
            body.extend_from_slice(&data[..data.len().min(BODY_LIMIT - body.len())]);
        }
        if body.len() == BODY_LIMIT {
            break;
        }
    }
    check.judge_body(&body).map_err(|e| ProbeError::UnexpectedAnswer(e.to_string()))
}

/// The innermost error tells most: "operation was canceled" may be all that the outer one says.
fn answer_error(error: hyper::Error) -> ProbeError {
    let mut cause: &(dyn Error + 'static) = &error;
    loop {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io.into();
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            return ProbeError::Closed;
        }
        match cause.source() {
            Some(source) => cause = source,
            None => return ProbeError::UnexpectedAnswer(cause.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
