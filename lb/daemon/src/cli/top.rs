//! `lb top`.
