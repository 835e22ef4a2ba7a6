//! What EMPIs, UAOPs, gateways and the center say to each other: messages down, each acknowledged; events up, each
//! acknowledged.
//!
//! One gRPC stream for each connection; the `.proto` is `proto/link.proto`. Whoever takes messages implements [`Intake`],
//! whoever has events [`Teller`]; [`serve()`] puts them on a socket. From the other side, [`Line`] is one connection, kept
//! up; [`Pool`] several, of which the best is used; [`feed`] keeps a pool fed from a store.

mod feeder;
mod identity;
mod intake;
mod line;
mod pool;
mod protocol;
mod serve;
mod settings;
mod teller;
#[cfg(test)]
mod tests;

pub use feeder::{Shelf, feed};
pub use identity::{Identity, Role};
pub use intake::{Intake, Offer, Standing, Verdict};
pub use line::{Batch, Line, LineError, LineState};
pub use pool::{News, Pool, ServerView};
pub use serve::serve;
pub use settings::{LineSettings, PoolSettings, ServerSettings};
pub use teller::{Numbered, Teller};
