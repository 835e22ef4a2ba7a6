//! The order of targets for one message: weighted rendezvous hashing.
//!
//! Each target draws a number for the message out of both their names; a greater weight makes a better draw likelier, in
//! proportion. Nobody has to agree with anybody: the same names give the same order on every host, and a target that goes
//! away leaves the order of the others as it is. All of it is arithmetic of whole numbers, so that no two mathematical
//! libraries can differ.

/// How a target stands for a message; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rank {
    /// −log₂ of the draw, a number in (0, 1), in units of 2⁻³².
    distance: u64,
    weight: u16,
}

impl Rank {
    /// `weight` is at least 1.
    pub(super) fn new(target: &str, message: &str, weight: u16) -> Self {
        Self { distance: distance(draw(target, message)), weight }
    }
}

impl Ord for Rank {
    /// By distance / weight, without a division.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let side = |distance: u64, weight: u16| u128::from(distance) * u128::from(weight);
        side(self.distance, other.weight).cmp(&side(other.distance, self.weight))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// FNV-1a, 64 bits, over both names with a byte between that is in neither, finished as `SplitMix64` is. Never 0.
pub(super) fn draw(target: &str, message: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = target.bytes().chain([0xff]).chain(message.bytes());
    let hash = bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).max(1)
}

/// 64 − log₂(draw), in units of 2⁻³²: the logarithm's bits come out one by one, as the mantissa is squared.
pub(super) fn distance(draw: u64) -> u64 {
    let zeros = draw.leading_zeros();
    // 1 ≤ mantissa < 2, in units of 2⁻⁶³
    let mut mantissa = draw << zeros;
    let mut fraction = 0_u64;
    for _ in 0..32 {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let doubled = square >> 127 == 1;
        let shift = if doubled { 64 } else { 63 };
        mantissa = u64::try_from(square >> shift).unwrap_or(u64::MAX);
        fraction = fraction << 1 | u64::from(doubled);
    }
    (u64::from(zeros + 1) << 32) - fraction
}
