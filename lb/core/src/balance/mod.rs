//! Order among the servers of one tier.
//!
//! The algorithms see [`Candidate`]s: servers that may take the connection, with weight and load. They return
//! a position in the slice, and leave in [`Candidate::current`] what they must remember.

pub mod least_connections;
pub mod maglev;
pub mod random_two;
pub mod rng;
pub mod smooth_wrr;

/// One server that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where the caller finds the server again; the algorithms do not read it.
    pub slot: usize,
    /// Share in any unit, the same for all candidates; not zero.
    pub weight: u32,
    /// Connections on it now, those that are being made included.
    pub live: u32,
    /// Memory of the smooth round robin between picks; starts at 0.
    pub current: i64,
}

impl Candidate {
    /// Whether this one has fewer connections per weight. Multiplied crosswise (as nginx does), so nothing is
    /// rounded.
    fn less_loaded_than(&self, other: &Self) -> bool {
        u64::from(self.live) * u64::from(other.weight) < u64::from(other.live) * u64::from(self.weight)
    }
}
