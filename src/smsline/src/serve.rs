//! The life of a process that has a role.

use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;

use anyhow::Context;
use runtime::logging::Format;
use runtime::signals::{Signals, Wish};
use tokio::sync::oneshot;

use crate::role::{Role, Shutdown};
use crate::{SMSLINE, fail};

/// Their target; whoever writes them decides about them, not `log.level`.
const ACCESS_RECORDS: &str = "access";

/// Serves as the file says until a signal ends it.
pub fn serve<R: Role>(file: &Path) -> ExitCode {
    let text = match SMSLINE.read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    match R::read(&text) {
        Ok(config) => start::<R>(config, file).map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS),
        Err(faults) => SMSLINE.refuse(format_args!("{}:", file.display()), &faults),
    }
}

fn start<R: Role>(config: R::Config, file: &Path) -> anyhow::Result<()> {
    process(R::log(&config), R::NAME, file, |stop| R::run(config, stop))
}

/// The life of a process: its log, its signals, what it runs.
///
/// # Errors
/// It cannot be set up, or what it runs fails.
pub fn process<F: Future<Output = anyhow::Result<()>>>(
    (format, level): (Format, String),
    role: &'static str,
    file: &Path,
    run: impl FnOnce(Shutdown) -> F,
) -> anyhow::Result<()> {
    let _log = runtime::logging::init(format, &level, ACCESS_RECORDS)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(live(role, file, run));
    // told to stop twice: nothing is waited for
    runtime.shutdown_background();
    outcome
}

async fn live<F: Future<Output = anyhow::Result<()>>>(
    role: &'static str,
    file: &Path,
    run: impl FnOnce(Shutdown) -> F,
) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let files = runtime::limits::raise_open_files().context("raising the limit of open files")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        // that the sender is gone says it too
        let _ = stopped.await;
    };
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(role, version, file = %file.display(), open_files = files, "starting");
    until_told(run(Box::pin(shutdown)), stop, async || told_to_stop(&mut signals).await).await
}

/// Lets `running` go on until it ends, or was told to stop twice.
async fn until_told(
    running: impl Future<Output = anyhow::Result<()>>,
    stop: oneshot::Sender<()>,
    mut told: impl AsyncFnMut(),
) -> anyhow::Result<()> {
    let mut running = pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = told() => drop(stop),
    }
    tracing::info!("told to stop");
    tokio::select! {
        ended = running => ended,
        () = told() => {
            tracing::warn!("told to stop again; not waiting any longer");
            Ok(())
        }
    }
}

async fn told_to_stop(signals: &mut Signals) {
    while signals.next().await == Wish::Reload {
        tracing::warn!("SIGHUP changes nothing here; restart the process for a new configuration");
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn it_stops_in_order_when_told_once() {
        let (stop, stopped) = oneshot::channel();
        let running = async {
            stopped.await.unwrap_err();
            anyhow::bail!("the end of order")
        };
        let mut tellings = 0;
        let told = async || {
            tellings += 1;
            if tellings > 1 {
                pending().await
            }
        };
        let ended = until_told(running, stop, told).await;
        assert_eq!(ended.unwrap_err().to_string(), "the end of order");
    }

    #[tokio::test]
    async fn one_that_does_not_stop_is_left_when_told_twice() {
        let (stop, _stopped) = oneshot::channel();
        until_told(pending(), stop, async || ()).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ends_by_itself_is_not_waited_for() {
        let (stop, _stopped) = oneshot::channel();
        let ended = until_told(ready(Err(anyhow::anyhow!("no port"))), stop, async || pending().await).await;
        assert_eq!(ended.unwrap_err().to_string(), "no port");
    }
}
