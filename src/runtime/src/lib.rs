//! Process kit without business words: logging, the HTTP endpoint for machines that watch, signals, file limits.

pub mod endpoint;
pub mod limits;
pub mod logging;
pub mod signals;
