//! The command line.

mod args;
mod check;
mod drill;
mod operate;
mod plan;
mod run;
mod status;
mod timeline;
mod top;
mod vrrp;
mod why;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Termination};

use clap::{CommandFactory, Parser};
use runtime::command::Program;

use crate::admin::client::{Client, ClientError};
use crate::vrrp::guard;
use args::{Args, Command};

const LB: Program = Program("lb");

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.command {
        Command::Run { config, node } => return run::run(&config, node.as_deref()),
        Command::Check { config, node, json } => return check::check(&config, node.as_deref(), json),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "lb", &mut std::io::stdout());
            return ExitCode::SUCCESS;
        }
        Command::Guard => guard::run().map(|()| ExitCode::SUCCESS),
        Command::Status { json, active: None } => {
            with_client(&args.socket, |client| status::status(client, json))
        }
        Command::Status { active: Some(name), .. } => {
            with_client(&args.socket, |client| status::active(client, name))
        }
        Command::Timeline { json, last, since, follow } => {
            let wanted = timeline::Wanted { json, last, since, follow };
            with_client(&args.socket, |client| timeline::timeline(client, wanted))
        }
        Command::Why { what } => with_client(&args.socket, |client| why::why(client, what)),
        Command::Vrrp { action } => with_client(&args.socket, |client| vrrp::vrrp(client, action)),
        Command::Drill { name, yes, json } => {
            with_client(&args.socket, |client| drill::drill(client, name, yes, json))
        }
        Command::Top { interval } => with_client(&args.socket, move |client| top::top(client, interval)),
        Command::Server { action } => with_client(&args.socket, |client| operate::operate(client, action)),
        Command::Reload => with_client(&args.socket, plan::reload),
        Command::Plan { file, json } => with_client(&args.socket, |client| plan::plan(client, file, json)),
    };
    outcome.unwrap_or_else(|error| fail(&error))
}

fn with_client<F: Future<Output = anyhow::Result<T>>, T: Termination>(
    socket: &Path,
    command: impl FnOnce(Client) -> F,
) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(command(Client::new(socket)))?.report())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(ClientError::Refused(problem)) = error.downcast_ref()
        && !problem.faults.is_empty()
    {
        return LB.refuse(&problem.error, &problem.faults);
    }
    LB.complain(format_args!("{error:#}"));
    ExitCode::FAILURE
}

fn default_socket() -> PathBuf {
    PathBuf::from("/run/lb/lb.sock")
}
