//! Chance out of a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use wire::text::Text;

use super::{Share, latency};

/// The chances of one submit.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

/// What the chances of one account are drawn from: its name and the seed, hashed.
#[derive(Clone, Debug)]
pub struct Key(Sha256);

/// What tells a submit of an account from others: a hash of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print([u8; 32]);

impl Key {
    #[must_use]
    pub fn new(seed: u32, account: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        add(&mut hash, account.as_bytes());
        Self(hash)
    }

    /// Of a part (1 of 1 for a whole message) to these numbers.
    #[must_use]
    pub fn print(&self, destinations: &[Text<21>], (part, parts): (u8, u8), content: &[u8]) -> Print {
        let mut hash = self.0.clone();
        hash.update([part, parts]);
        add(&mut hash, content);
        destinations.iter().for_each(|to| add(&mut hash, to.as_bytes()));
        Print(hash.finalize().into())
    }
}

/// With its length, so that no two lists of texts are alike.
fn add(hash: &mut Sha256, text: &[u8]) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

impl Print {
    /// The chances of the submit when it comes after so many of the same.
    #[must_use]
    pub fn dice(&self, before: u32) -> Dice {
        let mut generator = ChaCha8Rng::from_seed(self.0);
        generator.set_stream(before.into());
        Dice(generator)
    }

    /// Enough of it to tell one from another.
    #[must_use]
    pub fn short(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
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
