//! The pure core of `lb`: what a load balancer decides, without a clock, a socket or randomness.
//!
//! Time comes in as an argument, randomness as a seed, and what is to be done goes out as a value that the
//! daemon carries out.
//!
//! | module | decides |
//! |---|---|
//! | [`config`] | what a configuration file means, what is wrong with it, what a reload would change |
//! | [`pool`] | which server a connection goes to, and what becomes of connections when servers change |
//! | [`balance`] | the order among the servers of one tier |
//! | [`health`] | whether a server is usable: active checks, passive ejection, agent |
//! | [`probe`] | what an answer to a check means |
//! | [`limit`] | who may connect, how many and how fast |
//! | [`proxy_protocol`] | PROXY v1 and v2 headers |
//! | [`vrrp`] | which host has the virtual addresses |

pub mod balance;
pub mod config;
pub mod health;
pub mod limit;
pub mod pool;
pub mod probe;
pub mod proxy_protocol;
pub mod vrrp;
