//! Text on its way into short messages and out of them.
//!
//! Out: text → [`Signature`] → [`split()`]: a [`Coding`] within the account's [`Limits`], one [`Piece`] or several, each
//! of several behind a user data header ([`header`]). In: content → [`header::read`] → [`Joiner`] → text.

pub mod coding;
pub mod header;
pub mod join;
pub mod limits;
pub mod signature;
pub mod split;

pub use coding::{Coding, Preference, decode, encode};
pub use header::{Headed, PartHeader, Reference};
pub use join::{Incomplete, Joined, Joiner};
pub use limits::Limits;
pub use signature::{Place, Signature};
pub use split::{Piece, ReferenceWidth, SplitError, SplitSettings, split};
