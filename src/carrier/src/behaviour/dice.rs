//! Chance out of a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Share, latency};

/// The chances of one submit.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

/// What the chances of one account are drawn from.
#[derive(Clone, Debug)]
pub struct Key([u8; 32]);

impl Key {
    #[must_use]
    pub fn new(seed: u32, account: &str) -> Self {
        let mut key = [0_u8; 32];
        key[..4].copy_from_slice(&seed.to_be_bytes());
        // names of up to 28 bytes have keys of their own; longer ones nearly always
        for (position, byte) in account.bytes().enumerate() {
            let place = &mut key[4 + position % 28];
            *place = place.rotate_left(3) ^ byte;
        }
        Self(key)
    }

    /// The chances of the `position`th submit.
    #[must_use]
    pub fn dice(&self, position: u64) -> Dice {
        let mut generator = ChaCha8Rng::from_seed(self.0);
        generator.set_stream(position);
        Dice(generator)
    }
}

impl Dice {
    /// True for this share of the throws.
    pub fn falls(&mut self, share: Share) -> bool {
        self.throw() < share.millionths()
    }

    /// One of those that have a share, or none for the rest of the throws.
    pub fn pick<'a, T>(&mut self, shares: impl IntoIterator<Item = (&'a T, &'a Share)>) -> Option<&'a T> {
        let throw = self.throw();
        let mut sum = 0_u32;
        shares.into_iter().find_map(|(item, share)| {
            sum = sum.saturating_add(share.millionths());
            (throw < sum).then_some(item)
        })
    }

    /// One of them, each as likely; `None` of nothing.
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let throw: u32 = self.0.random();
        let index = usize::try_from(throw).unwrap_or_default().checked_rem(items.len())?;
        items.get(index).copied()
    }

    /// Two numbers above 0 and up to 1, for [`latency::Latency::at`].
    pub fn chances(&mut self) -> latency::Chances {
        let mut chance = || 1.0 - self.0.random::<f64>();
        latency::Chances(chance(), chance())
    }

    fn throw(&mut self) -> u32 {
        self.0.random_range(0..Share::ALL.millionths())
    }
}
