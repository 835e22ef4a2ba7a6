//! A carrier that serves, and customers over real connections.

mod behaviour;
mod carrier;
mod control;
mod customer;
mod deliveries;
mod login;
mod submits;
