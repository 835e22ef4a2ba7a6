//! The life of a message at a gateway.
//!
//! ```text
//!               ┌── not now ──┐
//!               ▼             │         ┌─► Accepted ◄┐
//!            Waiting ──────► Pushed ────┤             │ answered late
//!               ▲   pushed    │         └─► Refused   │
//!               └─── lost ────┴──── lost ──► Uncertain┘
//!                (to resend)      (to mark)
//! ```
//!
//! A message is a [`Delivery`] of one or several parts, each a [`Part`] of its own in that picture. When one part is
//! refused or the time of the message is over, what waits is not sent any more; what is pushed is still waited for.

mod delivery;
mod part;
#[cfg(test)]
mod tests;

pub use delivery::{Answered, Delivery, LifecycleError};
pub use part::{Part, WhenUncertain};
