//! `lb`, an L4 TCP load balancer daemon.
//!
//! | module | does |
//! |---|---|
//! | [`cli`] | the command line, the daemon's life among it |
//! | [`host`] | a configuration file on this host |
//! | [`control`] | the control plane: reloads, checks, events, the operator's wishes |
//! | [`worker`] | the data plane: one thread per core, from accept to the end of a connection |
//! | [`beats`] | signs of life of the threads |
//! | [`service`] | what both share: listeners and pools |
//! | [`admin`] | the administration socket |
//! | [`vrrp`] | virtual addresses: one thread, and the guard that lets go when the daemon cannot |
//! | [`notify`] | who is told when a virtual router changes its state |
//! | [`probe`], [`resolve`] | checks and names, carried out |
//! | [`metrics`], [`end`] | what is counted, and why connections end |
//! | [`socket`], [`sys`] | socket options, and system calls that no library wraps |

mod admin;
mod beats;
mod cli;
mod control;
mod end;
mod host;
mod metrics;
mod notify;
mod probe;
mod resolve;
mod service;
mod socket;
mod sys;
mod vrrp;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
