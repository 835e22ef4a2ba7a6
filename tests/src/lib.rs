//! The kit that drives real processes for tests, benchmarks and the demo.
//!
//! | module | gives |
//! |---|---|
//! | [`lb`] | the real `lb` binary: start, reload, metrics, log |
//! | [`mod@line`] | the real `smsline`: gateway and carrier, what goes in, what must come out |
//! | [`broker`] | brokers that speak Kafka's protocol |
//! | [`house`] | the whole line, from the bank to the carrier: every role, lb, and their engines |
//! | [`nginx`], [`haproxy`], [`keepalived`] | the distribution's peers |
//! | [`postgres`] | a database server of its own, to be killed |
//! | [`backend`] | servers inside this process that echo, hang, flood or reset on demand |
//! | [`verify`] | streams of which every byte is checked |
//! | [`traffic`] | many such streams in the background while something breaks |
//! | [`gap`] | a client that tells how long it was left without an answer |
//! | [`pair`] | two hosts that share a virtual address, a client and two servers |
//! | [`capture`] | Wireshark's judgement of what went over a wire |
//! | [`netns`] | hosts on a network of their own, with cables to pull |
//! | [`place`] | where a process or a thread runs: on this host or on one of those |
//! | [`ports`] | loopback ports that nobody else takes |
//! | [`process`], [`usage`] | a child process with its log, and what its process tree uses |
//! | [`binary`] | the programs under test |
//! | [`metrics`], [`http`] | what an operator reads |
//! | [`wait`] | conditions instead of sleeps |
//!
//! Calls block unless they are `async`. Errors are sentences for the person who reads the failed test.

pub mod backend;
pub mod binary;
pub mod broker;
pub mod capture;
mod follow;
pub mod gap;
pub mod haproxy;
pub mod house;
pub mod http;
pub mod keepalived;
pub mod lb;
pub mod line;
pub mod metrics;
pub mod netns;
pub mod nginx;
pub mod pair;
pub mod place;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod traffic;
pub mod usage;
pub mod verify;
pub mod wait;
