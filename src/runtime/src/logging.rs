//! Log lines on standard error, written by a thread of their own so that a slow reader holds nobody up.

use anyhow::Context;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

/// Starts logging; lines that are still queued are written when the guard is dropped. Lines that the reader
/// cannot take for long are dropped, oldest last.
///
/// # Errors
/// When `filter` is not a `tracing` filter, or logging was started before.
pub fn init(format: Format, filter: &str) -> anyhow::Result<WorkerGuard> {
    let filter = parse_filter(filter)?;
    let (writer, guard) = NonBlockingBuilder::default().thread_name("log").finish(std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    match format {
        Format::Text => builder.try_init(),
        Format::Json => {
            builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
    }
    .map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))?;
    Ok(guard)
}

/// # Errors
/// When `filter` is not a `tracing` filter.
pub fn parse_filter(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).with_context(|| format!("`{filter}` is not a log level or filter"))
}
