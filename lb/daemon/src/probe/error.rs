//! Why a check failed.

use std::io;

use thiserror::Error;
use tokio_rustls::rustls;

/// Why a check failed, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProbeError {
    #[error("no answer in time")]
    Timeout,
    #[error("connection refused")]
    Refused,
    #[error("host or network unreachable")]
    Unreachable,
    #[error("connection reset")]
    Reset,
    /// The connection ended before the answer was complete.
    #[error("connection closed without the expected answer")]
    Closed,
    /// What came instead, in part.
    #[error("unexpected answer: {0}")]
    UnexpectedAnswer(String),
    #[error("TLS: {0}")]
    Tls(String),
    /// A command ended with another exit code than 0; `output` is what it wrote first.
    #[error("exit code {code}{}", first_line(.output))]
    Exit { code: i32, output: String },
    /// A command was ended by a signal that did not come from here.
    #[error("command ended by signal {0}")]
    Signal(i32),
    /// A command wrote without end and was killed.
    #[error("command wrote more than {0} bytes")]
    Flood(usize),
    /// The check could not be made, for a reason on this host. It says nothing about the server.
    #[error("check not possible: {0}")]
    Local(String),
}

impl ProbeError {
    /// The kind, as a label of metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::UnexpectedAnswer(_) => "unexpected_answer",
            Self::Tls(_) => "tls",
            Self::Exit { .. } => "exit",
            Self::Signal(_) => "signal",
            Self::Flood(_) => "flood",
            Self::Local(_) => "local",
        }
    }

    /// An answer that is not the expected one: its beginning, made printable.
    pub(super) fn unexpected(answer: &[u8]) -> Self {
        const SHOWN: usize = 64;
        let shown = answer[..answer.len().min(SHOWN)].escape_ascii().to_string();
        let more = if answer.len() > SHOWN { " ..." } else { "" };
        Self::UnexpectedAnswer(format!("\"{shown}\"{more}"))
    }
}

impl From<io::Error> for ProbeError {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&io::Error> for ProbeError {
    /// Of an operation on a socket, or on TLS over one, which wraps its own errors. What no server can cause is ours.
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Tls(tls.to_string());
        }
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => Self::Reset,
            Kind::HostUnreachable | Kind::NetworkUnreachable => Self::Unreachable,
            Kind::TimedOut => Self::Timeout,
            Kind::UnexpectedEof => Self::Closed,
            _ => Self::Local(error.to_string()),
        }
    }
}

fn first_line(output: &str) -> String {
    const SHOWN: usize = 200;
    match output.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => {
            let printable = line.trim().chars().filter(|character| !character.is_control());
            format!(": {}", printable.take(SHOWN).collect::<String>())
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_cut_and_made_printable() {
        assert_eq!(ProbeError::unexpected(b"-ERR\r\n").to_string(), r#"unexpected answer: "-ERR\r\n""#);
        let long = ProbeError::unexpected(&[0; 1000]).to_string();
        assert!(long.ends_with("\" ...") && long.len() < 300, "{long}");
    }

    #[test]
    fn an_exit_shows_the_first_line_of_output() {
        let exit = |output: &str| ProbeError::Exit { code: 2, output: output.into() }.to_string();
        assert_eq!(exit(""), "exit code 2");
        assert_eq!(exit("\n  disk full \nmore"), "exit code 2: disk full");
        assert_eq!(exit("\x1b[31mred\x07\rover"), "exit code 2: [31mredover", "no terminal is told anything");
    }

    #[test]
    fn errors_that_no_server_causes_are_ours() {
        let of = |code| ProbeError::from(io::Error::from_raw_os_error(code)).reason();
        use nix::libc;
        for (code, reason) in [
            (libc::ECONNREFUSED, "refused"),
            (libc::EHOSTUNREACH, "unreachable"),
            (libc::ENETUNREACH, "unreachable"),
            (libc::ECONNRESET, "reset"),
            (libc::ETIMEDOUT, "timeout"),
            (libc::EMFILE, "local"),
            (libc::EADDRNOTAVAIL, "local"),
            (libc::EPERM, "local"),
        ] {
            assert_eq!(of(code), reason, "{code}");
        }
    }
}
