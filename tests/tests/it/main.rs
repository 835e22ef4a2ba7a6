//! The real `lb` among real peers: one binary of tests, one module for each topic.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod repository;

mod config;
mod docs;
