//! The program as its users have it: a process, its exit code and what it prints.

mod check;
mod events;
mod gateway;
mod program;
mod send;
mod status;
