//! What the command line can say.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use domain::{Account, Class, EmpiId, MessageText, Number, UaopId};

/// The SMS line: from the bank's systems to the carriers and back. One program, a role for each sub-command.
#[derive(Debug, Parser)]
#[command(
    name = "smsline",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
        smsline check gateway --config gateway.yaml           every fault of the file at once\n  \
        smsline all --config all.yaml                         the whole line in one process\n  \
        smsline gateway --config gateway.yaml                 serve; SIGTERM stops\n  \
        smsline status                                        accounts, connections, queues\n  \
        smsline send --to 13800138000 --text 'hello'          one message\n  \
        smsline events --follow                               what becomes of the messages"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve as a bank front-end, in the foreground, until SIGTERM; a second one ends it at once.
    Empi {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Serve as the SMS core, in the foreground, until SIGTERM; a second one ends it at once.
    Uaop {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Serve as the gateway to the carriers, in the foreground, until SIGTERM; a second one ends it at once.
    Gateway {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Serve as the report and customer-service centre, in the foreground, until SIGTERM; a second one ends it at once.
    Center {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Serve as a simulated carrier, to test a gateway against, in the foreground, until SIGTERM; a second one ends it
    /// at once.
    Carrier {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Serve as every role that the file has a section for, in one process, in the foreground, until SIGTERM; a second one ends it at once.
    All {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Name every fault of a role's configuration file; exit code 64 if there is one.
    Check {
        /// Whose file it is.
        role: Role,
        #[command(flatten)]
        config: ConfigFile,
        /// Print the faults as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Hand messages to a gateway, and tell what became of each; exit code 1 if one is not taken.
    ///
    /// A message that is taken is on the gateway's disk. What the carrier says of it, `smsline events` tells.
    #[command(after_help = "Examples:\n  \
        smsline send --to 13800138000 --text 'hello'\n  \
        smsline send --to 13800138000 --text 'hello' --account cm-1 --id order-4711\n  \
        smsline send --file messages.ndjson\n  \
        generate | smsline send --file - --json\n\n\
        A line of a file:\n  \
        {\"uaop_id\":\"m-1\",\"empi_id\":\"bank\",\"class\":\"notice\",\"to\":\"13800138000\",\"text\":\"hello\"}\n\n\
        A message whose id and content are known to the gateway is not sent twice: a file may be sent again.")]
    Send {
        #[command(flatten)]
        socket: Socket,
        #[command(flatten)]
        outgoing: Outgoing,
    },
    /// Show what a gateway has to tell: pushes, answers, outcomes, reports, messages of users, connections.
    ///
    /// Numbers are masked and texts left out, but for --json.
    #[command(after_help = "Examples:\n  \
        smsline events                            all that the gateway keeps\n  \
        smsline events --after 4711 --follow      from number 4712 on, and what comes\n  \
        smsline events --json | jq 'select(.event == \"finished\")'")]
    Events {
        #[command(flatten)]
        socket: Socket,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Show a gateway's accounts: connections, queues, rates, alarms.
    Status {
        #[command(flatten)]
        socket: Socket,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have a simulated carrier send a message of a user (MO) to one of its accounts.
    #[command(after_help = "Example:\n  \
        smsline mo --account bank-mobile --from 13800138000 --to 106900001 --text 'TD'")]
    Mo {
        /// Control port of the carrier to talk to (`control:` in its file).
        #[arg(long, env = "SMSLINE_CONTROL", hide_env_values = true, default_value = "127.0.0.1:7899")]
        control: SocketAddr,
        #[command(flatten)]
        mo: UserMessage,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell that is to complete.
        shell: Shell,
    },
}

/// A role that has a configuration file.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Role {
    Empi,
    Uaop,
    Gateway,
    Center,
    Carrier,
    All,
}

/// The file to read.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigFile {
    /// Configuration file of the role.
    #[arg(long, short, value_hint = ValueHint::FilePath)]
    pub config: PathBuf,
}

/// Which gateway to talk to.
#[derive(Clone, Debug, clap::Args)]
pub struct Socket {
    /// Uplink socket of the gateway to talk to (`uplink:` in its file).
    #[arg(
        long,
        env = "SMSLINE_SOCKET",
        hide_env_values = true,
        default_value = "/run/smsline/gateway.sock",
        value_hint = ValueHint::FilePath
    )]
    pub socket: PathBuf,
}

/// What to send.
#[derive(Clone, Debug, clap::Args)]
pub struct Outgoing {
    /// Number of the receiver.
    #[arg(long, value_name = "NUMBER", required_unless_present = "file", requires = "text")]
    pub to: Option<Number>,
    /// Text of the message.
    #[arg(long, required_unless_present = "file", requires = "to", value_parser = text)]
    pub text: Option<MessageText>,
    /// Account that sends it [default: the gateway's only one].
    #[arg(long)]
    pub account: Option<Account>,
    /// Class of the message; its policies hang on it.
    #[arg(long, default_value = "notice")]
    pub class: Class,
    /// Id of the message, by which the gateway knows it again [default: a new one].
    #[arg(long)]
    pub id: Option<UaopId>,
    /// Bank front-end that the message comes from.
    #[arg(long, default_value = "smsline")]
    pub empi: EmpiId,
    /// Digits after the account's access number.
    #[arg(long, value_name = "DIGITS", default_value = "", hide_default_value = true)]
    pub extension: String,
    /// 0 to 9; the highest is sent first.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=9))]
    pub priority: u8,
    /// How long it may be sent [default: for ever].
    #[arg(long, value_name = "DURATION", value_parser = settings::parse_duration)]
    pub valid: Option<Duration>,
    /// Ask the carrier for no report.
    #[arg(long)]
    pub no_report: bool,
    /// Send the messages of this file, `-` for standard input: a JSON object a line.
    #[arg(
        long,
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["to", "text", "account", "class", "id", "empi", "extension", "priority", "valid", "no_report"]
    )]
    pub file: Option<PathBuf>,
    /// Print a JSON object a line for each message, as it is answered.
    #[arg(long)]
    pub json: bool,
}

/// Which events to show, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Wanted {
    /// Only events after this number.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub after: i64,
    /// Go on with what happens from now on.
    #[arg(long, short)]
    pub follow: bool,
    /// Print each event as a JSON object on a line, with full numbers and texts.
    #[arg(long)]
    pub json: bool,
    /// Acknowledge under this name what was printed: the gateway deletes what all its consumers have acknowledged
    /// [default: look only].
    #[arg(long, value_name = "NAME")]
    pub consumer: Option<String>,
}

/// A message of a user.
#[derive(Clone, Debug, clap::Args)]
pub struct UserMessage {
    /// Account that it is for, by its name in the carrier's file.
    #[arg(long)]
    pub account: String,
    /// Number of the user.
    #[arg(long, value_name = "NUMBER")]
    pub from: Number,
    /// Access number of the account, with an extension or without.
    #[arg(long, value_name = "NUMBER")]
    pub to: Number,
    /// Text of the message.
    #[arg(long, value_parser = text)]
    pub text: MessageText,
    /// What a text is coded in that is more than ASCII.
    #[arg(long, value_enum, default_value_t)]
    pub coding: Coding,
}

/// See [`UserMessage::coding`].
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Coding {
    #[default]
    Ucs2,
    Gb18030,
}

/// Any text is one.
#[allow(clippy::unnecessary_wraps, reason = "what the command line's parser calls may fail")]
fn text(text: &str) -> Result<MessageText, Infallible> {
    Ok(MessageText(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_of_every_command() {
        let mut command = Args::command().term_width(100);
        command.build();
        let mut help = command.render_long_help().to_string();
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
            let text = sub.render_long_help();
            help.push_str(&format!("\n=== {}\n\n{text}", sub.get_name()));
        }
        insta::assert_snapshot!(help);
    }

    #[test]
    fn what_is_to_be_sent_does_not_show_its_text() {
        for line in [
            "smsline send --to 13800138000 --text balance-17",
            "smsline mo --account a --from 13800138000 --to 1069 --text balance-17",
        ] {
            let shown = format!("{:?}", Args::try_parse_from(line.split(' ')).unwrap());
            assert!(shown.contains("10 characters") && !shown.contains("balance"), "{shown}");
        }
    }

    #[test]
    fn a_message_or_a_file_is_sent_and_not_both() {
        let parse = |line: &str| Args::try_parse_from(line.split(' '));
        for good in [
            "smsline send --to +8613800138000 --text hello",
            "smsline send --to 13800138000 --text hello --class otp --id m-1 --valid 5m --priority 9 --no-report",
            "smsline send --file - --json",
            "smsline mo --account a --from 1 --to 2 --text x --coding gb18030",
        ] {
            parse(good).unwrap();
        }
        for bad in [
            "smsline send",
            "smsline send --to 13800138000",
            "smsline send --text hello",
            "smsline send --to 1380013800O --text hello",
            "smsline send --to 13800138000 --text hello --priority 10",
            "smsline send --to 13800138000 --text hello --id two,words",
            "smsline send --file - --text hello",
            "smsline send --file - --class otp",
            "smsline events --after -1",
            "smsline mo --account a --from 1 --to 2 --text x --control nowhere",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
