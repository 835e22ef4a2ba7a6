//! Whose a number is, by how it begins.

use std::collections::BTreeMap;

use crate::{Carrier, Number};

/// Prefixes of numbers and the carriers that have them; the longest wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Of mobile numbers: 11 digits that begin with 1.
    public: BTreeMap<&'static str, Carrier>,
    /// Of any number; they come before `public` ones of the same length.
    own: BTreeMap<String, Carrier>,
}

/// The segments that the ministry has given to the carriers. Which of them a number was ported to is not to be seen here.
const PUBLIC: [(&str, &[&str]); 4] = [
    (
        "mobile",
        &[
            "1340", "1341", "1342", "1343", "1344", "1345", "1346", "1347", "1348", "135", "136", "137",
            "138", "139", "147", "148", "150", "151", "152", "157", "158", "159", "165", "1703", "1705",
            "1706", "172", "178", "182", "183", "184", "187", "188", "195", "197", "198",
        ],
    ),
    (
        "unicom",
        &[
            "130", "131", "132", "145", "146", "155", "156", "166", "167", "1704", "1707", "1708", "1709",
            "171", "175", "176", "185", "186", "196",
        ],
    ),
    (
        "telecom",
        &[
            "133", "1349", "149", "153", "162", "1700", "1701", "1702", "173", "174", "177", "180", "181",
            "189", "190", "191", "193", "199",
        ],
    ),
    ("broadnet", &["192"]),
];

impl Default for Segments {
    /// The public segments: carriers `mobile`, `unicom`, `telecom` and `broadnet`.
    fn default() -> Self {
        let carriers = PUBLIC.iter().filter_map(|(name, prefixes)| Some((name.parse().ok()?, *prefixes)));
        let public = carriers.flat_map(|(carrier, prefixes): (Carrier, _)| {
            prefixes.iter().map(move |prefix| (*prefix, carrier.clone()))
        });
        Self { public: public.collect(), own: BTreeMap::new() }
    }
}

impl Segments {
    /// Adds a prefix, up to a whole number (one that was ported), without country code; it takes the place of a public
    /// one.
    #[must_use]
    pub fn with(mut self, prefix: &Number, carrier: Carrier) -> Self {
        self.own.insert(prefix.national().to_owned(), carrier);
        self
    }

    /// Whose it is.
    #[must_use]
    pub fn carrier(&self, number: &Number) -> Option<&Carrier> {
        let digits = number.national();
        let own = longest(digits, |prefix| self.own.get(prefix));
        let public =
            longest(digits, |prefix| self.public.get(prefix)).filter(|_| number.international() != digits);
        match (own, public) {
            (Some((long, carrier)), Some((longer, _))) if long >= longer => Some(carrier),
            (own, public) => public.or(own).map(|(_, carrier)| carrier),
        }
    }

    /// Every carrier that a number may be of.
    pub fn carriers(&self) -> impl Iterator<Item = &Carrier> {
        self.public.values().chain(self.own.values())
    }
}

/// The longest prefix that is there, with its length.
fn longest<'a>(digits: &str, find: impl Fn(&str) -> Option<&'a Carrier>) -> Option<(usize, &'a Carrier)> {
    (1..=digits.len()).rev().find_map(|length| Some((length, find(digits.get(..length)?)?)))
}
