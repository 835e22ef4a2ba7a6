//! Process kit without business words: logging, metrics and the HTTP endpoint for machines that watch, sockets of
//! administration and who asks there, signals, file limits, the time of day, what configuration files have in common, and how
//! commands speak.

pub mod clock;
pub mod command;
pub mod config;
pub mod endpoint;
pub mod http_client;
pub mod limits;
pub mod logging;
pub mod register;
pub mod signals;
pub mod table;
pub mod unix_socket;
