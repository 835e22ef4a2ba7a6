//! The order among the servers of one tier.
