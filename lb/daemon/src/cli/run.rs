//! `lb run`: the life of the daemon.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use lb_core::config::LogFormat;
use runtime::command::print_faults;
use runtime::logging::Format;
use runtime::signals::{Signals, Wish};
use tokio::net::TcpListener;

use super::{LB, fail};
use crate::admin;
use crate::control::Control;
use crate::host::{self, Compiled};

/// Their target; `log.access` decides about them, not `log.level`.
const ACCESS_RECORDS: &str = "access";

pub(super) fn run(file: &Path, chosen: Option<&str>) -> ExitCode {
    let text = match LB.read_config(file) {
        Ok(text) => text,
        Err(code) => return code,
    };
    match host::compile(&text, chosen) {
        Ok(compiled) => serve(compiled, file, chosen).unwrap_or_else(|error| fail(&error)),
        Err(faults) => LB.refuse(format_args!("{}:", file.display()), &faults),
    }
}

fn serve(compiled: Compiled, file: &Path, chosen: Option<&str>) -> anyhow::Result<ExitCode> {
    let log = &compiled.config.log;
    let format = match log.format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let _log = runtime::logging::init(format, &log.level, ACCESS_RECORDS)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(live(compiled, file, chosen))
}

async fn live(compiled: Compiled, file: &Path, chosen: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::install()?;
    let files = runtime::limits::raise_open_files().context("raising the limit of open files")?;
    let (metrics_listen, socket) = (compiled.config.metrics, compiled.config.admin.socket.clone());
    // its file goes whatever way this ends
    let (admin, _file) = runtime::unix_socket::bind(&socket)
        .await
        .with_context(|| format!("admin.socket {}", socket.display()))?;
    let metrics = match metrics_listen {
        Some(metrics) => Some(
            TcpListener::bind(metrics.listen)
                .await
                .with_context(|| format!("metrics.listen {}", metrics.listen))?,
        ),
        None => None,
    };
    let control = match Control::start(compiled, file, chosen)? {
        Ok(control) => control,
        Err(faults) => {
            LB.complain("the configuration cannot be carried out here:");
            print_faults(&faults);
            return Ok(ExitCode::FAILURE);
        }
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), file = %file.display(), open_files = files, "serving");
    if let Some(listener) = metrics {
        let router = runtime::endpoint::router(Arc::clone(&control));
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    tokio::spawn(admin::serve(admin, Arc::clone(&control)));
    until_stopped(&mut signals, &control).await;
    tokio::select! {
        () = control.drain() => {}
        () = stopped_again(&mut signals) => tracing::warn!("told to stop again; not waiting any longer"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn until_stopped(signals: &mut Signals, control: &Arc<Control>) {
    loop {
        match signals.next().await {
            // the outcome is in the log and in the metrics
            Wish::Reload => drop(control.reload()),
            Wish::Stop => return,
        }
    }
}

async fn stopped_again(signals: &mut Signals) {
    while signals.next().await != Wish::Stop {}
}
