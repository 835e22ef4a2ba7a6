//! Log lines on standard error, written by a thread of their own so that a slow reader holds nobody up.

use std::io::BufWriter;

use anyhow::Context;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// What is written at once while there is more to write, in bytes; when there is not, it is written at once.
const BUFFER: usize = 64 * 1024;

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

/// Starts logging; lines that are still queued are written when the guard is dropped. Lines that the reader
/// cannot take for long are dropped, oldest last. Records of the target `always`, from `info` up, are written whatever
/// `filter` says: somebody else decides about them.
///
/// # Errors
/// When `filter` is not a `tracing` filter, or logging was started before.
pub fn init(format: Format, filter: &str, always: &str) -> anyhow::Result<WorkerGuard> {
    let filter = filter_with(filter, always)?;
    let stderr = BufWriter::with_capacity(BUFFER, std::io::stderr());
    let (writer, guard) = NonBlockingBuilder::default().thread_name("log").finish(stderr);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    match format {
        Format::Text => builder.try_init(),
        Format::Json => {
            builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
    }
    .map_err(cannot_start)?;
    Ok(guard)
}

/// Starts logging of lines of text, from `info` up, which whoever has something to say writes himself: for a process
/// that has one thread.
///
/// # Errors
/// When logging was started before.
pub fn init_unbuffered<W: std::io::Write>(
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(writer);
    builder.with_ansi(false).try_init().map_err(cannot_start)
}

fn cannot_start(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("logging cannot start: {error}")
}

/// A later directive of a target takes the place of an earlier one.
fn filter_with(filter: &str, always: &str) -> anyhow::Result<EnvFilter> {
    Ok(parse_filter(filter)?.add_directive(format!("{always}=info").parse()?))
}

/// # Errors
/// When `filter` is not a `tracing` filter.
pub fn parse_filter(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).with_context(|| format!("`{filter}` is not a log level or filter"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn the_filter_does_not_decide_about_the_target_that_is_always_written() {
        for filter in ["warn", "off", "access=error,info", "error,access=off"] {
            let lines = Lines::default();
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(filter_with(filter, "access").unwrap())
                .with_writer(lines.clone())
                .finish();
            tracing::subscriber::with_default(subscriber, || {
                tracing::info!(target: "access", "a record");
                tracing::debug!("noise");
            });
            let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(written.contains("a record") && !written.contains("noise"), "{filter}: {written}");
        }
    }
}
