//! Maglev hashing (Eisenbud and others, NSDI 2016), with weights as Envoy has them.
//!
//! The hash depends on addresses alone, neither on a seed nor on the file's order: both hosts of a pair send
//! a source to the same server.

use std::net::IpAddr;

use super::rng;

/// Prime size of the table of a small set. A table is built under the pool's lock, so it is no larger than
/// the error of the shares (about servers / size) asks for: 5003 is built in about 0.1 ms, 65537 in some ms.
const SMALL: usize = 5003;
/// Prime size beyond [`SMALL_SERVERS`]; Envoy's default.
const LARGE: usize = 65537;
/// Most servers for which [`SMALL`] keeps the error near 1 %.
const SMALL_SERVERS: usize = 50;

/// One server of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// [`hash`] of what identifies the server.
    pub hash: u64,
    /// Share in any unit; not zero.
    pub weight: u32,
}

/// A table from the hash of a source to the position of a member.
#[derive(Clone, Debug)]
pub struct Maglev {
    members: Vec<Member>,
    table: Vec<u16>,
}

impl Maglev {
    /// `configured` is how many servers the tier has, whether usable or not: a server that goes down must
    /// not change the table's size, which would move every source. At most 65535 members count.
    pub fn new(members: Vec<Member>, configured: usize) -> Self {
        let size = if configured <= SMALL_SERVERS { SMALL } else { LARGE };
        let table = fill(&members, size);
        Self { members, table }
    }

    /// What the table was built from.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The source's member, or the first acceptable one after it in the table; `None` when none is.
    pub fn lookup(&self, source: IpAddr, accept: impl Fn(usize) -> bool) -> Option<usize> {
        let size = self.table.len();
        if size == 0 {
            return None;
        }
        let start = index(hash_address(source), size);
        (0..size).map(|step| usize::from(self.table[(start + step) % size])).find(|&member| accept(member))
    }
}

/// Hash of what identifies a server or a source: FNV-1a, stirred.
pub fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    rng::mix(fnv)
}

fn hash_address(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => hash(&address.octets()),
        IpAddr::V6(address) => hash(&address.octets()),
    }
}

/// Members claim slots in turn, each along its own permutation of the table; a member of less weight than the
/// heaviest sits out its share of the turns. Everyone has the first turn, so everyone has a slot.
fn fill(members: &[Member], size: usize) -> Vec<u16> {
    let Some(heaviest) = members.iter().map(|member| u64::from(member.weight)).max() else {
        return Vec::new();
    };
    let mut turns: Vec<Turn> = members
        .iter()
        .enumerate()
        .filter_map(|(position, member)| Some(Turn::new(u16::try_from(position).ok()?, *member, size)))
        .collect();
    // The first in a round has a small advantage; it must not depend on the order in the file.
    turns.sort_by_key(|turn| turn.hash);

    let mut table = vec![None; size];
    let mut free = size;
    let mut round = 0;
    loop {
        round += 1;
        for turn in &mut turns {
            if round * turn.weight < turn.due {
                continue;
            }
            turn.due += heaviest;
            turn.claim(&mut table);
            free -= 1;
            if free == 0 {
                return table.into_iter().flatten().collect();
            }
        }
    }
}

struct Turn {
    member: u16,
    hash: u64,
    weight: u64,
    /// The member has its next turn when round × weight reaches this.
    due: u64,
    next: usize,
    skip: usize,
}

impl Turn {
    fn new(position: u16, member: Member, size: usize) -> Self {
        Self {
            member: position,
            hash: member.hash,
            weight: u64::from(member.weight),
            due: 0,
            next: index(rng::mix(member.hash), size),
            skip: 1 + index(rng::mix(!member.hash), size - 1),
        }
    }

    /// Takes the next free slot of its permutation; there must be one.
    fn claim(&mut self, table: &mut [Option<u16>]) {
        while table[self.next].is_some() {
            self.next = (self.next + self.skip) % table.len();
        }
        table[self.next] = Some(self.member);
    }
}

fn index(hash: u64, size: usize) -> usize {
    (hash % size as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn member(number: usize, weight: u32) -> Member {
        Member { hash: hash(format!("192.0.2.{number}:80").as_bytes()), weight }
    }

    fn table(weights: &[u32]) -> Maglev {
        let members = weights.iter().enumerate().map(|(number, &weight)| member(number, weight)).collect();
        Maglev::new(members, weights.len())
    }

    fn slots(maglev: &Maglev, members: usize) -> Vec<usize> {
        let mut counts = vec![0; members];
        for &member in &maglev.table {
            counts[usize::from(member)] += 1;
        }
        counts
    }

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
    }

    #[test]
    fn a_source_keeps_its_server_and_a_mapped_address_is_the_same_source() {
        let maglev = table(&[1, 1, 1]);
        let IpAddr::V4(v4) = source(77) else { unreachable!() };
        let mapped = IpAddr::V6(v4.to_ipv6_mapped());
        assert_eq!(maglev.lookup(source(77), |_| true), maglev.lookup(mapped, |_| true));
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let (forth, back) =
            (vec![member(1, 1), member(2, 3), member(3, 2)], vec![member(3, 2), member(2, 3), member(1, 1)]);
        let (forth, back) = (Maglev::new(forth, 3), Maglev::new(back, 3));
        for number in 0..1000 {
            let position = forth.lookup(source(number), |_| true).unwrap();
            assert_eq!(back.lookup(source(number), |_| true), Some(2 - position));
        }
    }

    #[test]
    fn the_large_table_serves_large_sets() {
        assert_eq!(table(&[1; 50]).table.len(), SMALL);
        assert_eq!(table(&[1; 51]).table.len(), LARGE);
    }

    #[test]
    fn the_lightest_beside_the_heaviest_has_a_slot() {
        assert!(slots(&table(&[10_000_000, 100]), 2)[1] >= 1);
    }

    #[test]
    fn an_unacceptable_member_is_passed_over_and_nobody_is_found_among_nobody() {
        let maglev = table(&[1, 1, 1]);
        assert!((0..500).all(|number| maglev.lookup(source(number), |member| member == 2) == Some(2)));
        assert_eq!(maglev.lookup(source(1), |_| false), None);
        assert_eq!(table(&[]).lookup(source(1), |_| true), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn slots_follow_weights(weights in prop::collection::vec(1u32..100, 1..20)) {
            let sum: u32 = weights.iter().sum();
            for (count, weight) in slots(&table(&weights), weights.len()).into_iter().zip(&weights) {
                let share = f64::from(*weight) / f64::from(sum) * SMALL as f64;
                // One turn more or less, for this member and for each other.
                prop_assert!((count as f64 - share).abs() <= 2.0 + share * 0.03, "{} of {}", count, share);
            }
        }

        #[test]
        fn removing_one_of_n_moves_few_sources_of_the_others(servers in 3usize..20, removed in 0usize..20) {
            let removed = removed % servers;
            let before = table(&vec![1; servers]);
            let members = (0..servers).filter(|&n| n != removed).map(|n| member(n, 1)).collect();
            let after = Maglev::new(members, servers);
            let mut kept = 0usize;
            let mut moved = 0usize;
            for (&old, &new) in before.table.iter().zip(&after.table) {
                let (old, mut new) = (usize::from(old), usize::from(new));
                if new >= removed {
                    new += 1;
                }
                if old != removed {
                    if old == new { kept += 1 } else { moved += 1 }
                }
            }
            prop_assert!(moved * 100 < kept * 20, "{} kept, {} moved", kept, moved);
        }
    }
}
