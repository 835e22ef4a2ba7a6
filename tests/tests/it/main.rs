//! The real `lb` among real peers, and the repository's own words: one binary of tests, one module for each topic.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![allow(clippy::print_stderr, reason = "numbers that were measured, and why a test was skipped")]

mod client;
mod daemon;
mod repository;
mod scene;

mod agent;
mod bad_input;
mod balance;
mod checks;
mod config;
mod docs;
mod egress;
mod failover;
mod health;
mod house;
mod limits;
mod line;
mod names;
mod namespaces;
mod nodes;
mod passive;
mod peers;
mod pressure;
mod relay;
mod reload;
mod second_thoughts;
mod series;
mod stop;
mod timeline;
mod unplugged;
mod virtual_addresses;
mod virtual_mac;
mod vrrp;
