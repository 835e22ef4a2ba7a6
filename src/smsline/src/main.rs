//! `smsline`: the SMS line, one program with a role for each sub-command.
//!
//! | module | does |
//! |---|---|
//! | [`args`] | what the command line can say |
//! | [`role`], [`serve`] | the roles, and the life of a process that has one |
//! | [`all`] | several roles in one process |
//! | [`check`] | faults of a configuration file |
//! | [`uplink`] | the gateway's socket, from the other end |
//! | [`send`], [`events`], [`status`] | what is said and asked there |
//! | [`mo`] | what a simulated carrier is told |

mod all;
mod args;
mod check;
mod events;
mod mo;
mod role;
mod send;
mod serve;
mod status;
mod time;
mod uplink;

use std::process::{ExitCode, Termination};

use clap::{CommandFactory, Parser};
use runtime::command::Program;

use args::{Args, Command, Socket};
use uplink::Uplink;

const SMSLINE: Program = Program("smsline");

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Empi { config } => return serve::serve::<role::Empi>(&config.config),
        Command::Uaop { config } => return serve::serve::<role::Uaop>(&config.config),
        Command::Gateway { config } => return serve::serve::<role::Gateway>(&config.config),
        Command::Center { config } => return serve::serve::<role::Center>(&config.config),
        Command::Carrier { config } => return serve::serve::<role::Carrier>(&config.config),
        Command::All { config } => return all::serve(&config.config),
        Command::Check { role, config, json } => return check::check(role, &config.config, json),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), SMSLINE.0, &mut std::io::stdout());
            return ExitCode::SUCCESS;
        }
        Command::Send { socket, outgoing } => with_uplink(&socket, |uplink| send::send(uplink, outgoing)),
        Command::Events { socket, wanted } => with_uplink(&socket, |uplink| events::events(uplink, wanted)),
        Command::Status { socket, json } => with_uplink(&socket, |uplink| status::status(uplink, json)),
        Command::Mo { control, mo } => block_on(mo::mo(control, mo)),
    };
    outcome.unwrap_or_else(|error| fail(&error))
}

fn with_uplink<F: Future<Output = anyhow::Result<T>>, T: Termination>(
    socket: &Socket,
    command: impl FnOnce(Uplink) -> F,
) -> anyhow::Result<ExitCode> {
    block_on(command(Uplink::new(&socket.socket)))
}

fn block_on<T: Termination>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(command)?.report())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    SMSLINE.complain(format_args!("{error:#}"));
    ExitCode::FAILURE
}
