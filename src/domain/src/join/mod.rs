//! How a report finds its bank: what was told about one message, by whomever, in any order and as often as they like,
//! becomes one [`Journey`] with one [`End`].
//!
//! ```text
//!  MessageCopy ────────────── uaop_id ──────────────┐
//!  Pushed, Answered, Finished ── uaop_id ───────────┤►  Journey ──► End ──► Report, revision 1, 2, …
//!  Reported ── uaop_id, or else ────────────────────┘
//!              (carrier, resp_sequence) ── as Answered said ──► uaop_id, part
//! ```
//!
//! All that a journey keeps is a maximum, a minimum or a set, so that neither the order of the facts nor their
//! repetition matters. Its end follows from what it keeps; see [`Journey::end`].

mod end;
mod fact;
mod journey;
mod part;
mod told;

#[cfg(test)]
mod tests;

pub use end::End;
pub use fact::{About, Fact, about, answered};
pub use journey::{Journey, Stage, Tally};
pub use part::PartView;
