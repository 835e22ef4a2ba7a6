//! Where sequences come from.

use std::sync::atomic::{AtomicU32, Ordering};

/// The numbers of this process's requests, shared by all its sessions: no two are equal until they wrap.
#[derive(Debug)]
pub struct Numbers(AtomicU32);

impl Numbers {
    #[must_use]
    pub const fn starting_at(first: u32) -> Self {
        Self(AtomicU32::new(first))
    }

    /// One more than the last; 0 after the highest.
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_by_one_and_wrap() {
        let numbers = Numbers::starting_at(u32::MAX - 1);
        assert_eq!([(); 3].map(|()| numbers.next()), [u32::MAX - 1, u32::MAX, 0]);
    }
}
