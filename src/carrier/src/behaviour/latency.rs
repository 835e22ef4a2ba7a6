//! How long something takes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use settings::{format_duration, parse_duration};

/// A distribution of durations; none is longer than [`LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// `5ms`
    Constant(Duration),
    /// `1ms to 9ms`: each as likely.
    Uniform { least: Duration, most: Duration },
    /// `mean 5ms`: as independent events come, exponential.
    Exponential { mean: Duration },
    /// `median 5ms, p99 50ms`: as networks are, log-normal with a long tail.
    LogNormal { median: Duration, p99: Duration },
}

/// The longest latency that may be written, and that chance may make.
pub const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// Two numbers above 0 and up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances(pub f64, pub f64);

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

impl Latency {
    pub const NONE: Self = Self::Constant(Duration::ZERO);

    /// The duration for these chances.
    #[must_use]
    pub fn at(self, Chances(first, second): Chances) -> Duration {
        match self {
            Self::Constant(duration) => duration,
            Self::Uniform { least, most } => least + (most - least).mul_f64(first),
            Self::Exponential { mean } => times(mean, -first.ln()),
            Self::LogNormal { median, p99 } => {
                let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / NORMAL_P99;
                let normal = (-2.0 * first.ln()).sqrt() * (std::f64::consts::TAU * second).cos();
                times(median, (sigma * normal).exp())
            }
        }
    }
}

fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).map_or(LONGEST, |long| long.min(LONGEST))
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Constant(duration) => f.write_str(&format_duration(duration)),
            Self::Uniform { least, most } => {
                write!(f, "{} to {}", format_duration(least), format_duration(most))
            }
            Self::Exponential { mean } => write!(f, "mean {}", format_duration(mean)),
            Self::LogNormal { median, p99 } => {
                write!(f, "median {}, p99 {}", format_duration(median), format_duration(p99))
            }
        }
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(mean) = text.strip_prefix("mean ") {
            return Ok(Self::Exponential { mean: duration(mean)? });
        }
        if let Some(rest) = text.strip_prefix("median ") {
            let (median, p99) = rest.split_once(',').ok_or("a median needs its p99")?;
            let p99 = p99.trim().strip_prefix("p99 ").ok_or("a median needs its p99")?;
            let (median, p99) = (duration(median)?, duration(p99)?);
            return match median {
                Duration::ZERO => Err("the median is zero".to_owned()),
                _ if p99 < median => Err("the p99 is less than the median".to_owned()),
                _ => Ok(Self::LogNormal { median, p99 }),
            };
        }
        if let Some((least, most)) = text.split_once(" to ") {
            let (least, most) = (duration(least)?, duration(most)?);
            if most < least {
                return Err("the range is empty".to_owned());
            }
            return Ok(Self::Uniform { least, most });
        }
        duration(text).map(Self::Constant)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text.trim())? {
        long if long > LONGEST => Err("this is longer than a week".to_owned()),
        duration => Ok(duration),
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Key;
    use super::*;

    /// Ten thousand of them, sorted.
    fn sample(text: &str) -> Vec<Duration> {
        let latency: Latency = text.parse().unwrap();
        let print = Key::new(1, "a").print(&[], (1, 1), b"");
        let mut all: Vec<Duration> =
            (0..10_000).map(|before| latency.at(print.dice(before).chances())).collect();
        all.sort();
        all
    }

    fn near(found: Duration, wanted_ms: f64) -> bool {
        (found.as_secs_f64() * 1000.0 / wanted_ms - 1.0).abs() < 0.1
    }

    #[test]
    fn a_latency_is_read_as_it_is_written() {
        for text in ["5ms", "1ms to 9ms", "mean 5ms", "median 5ms, p99 50ms", "0s"] {
            assert_eq!(text.parse::<Latency>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_latency_says_why() {
        for (text, why) in [
            ("9ms to 1ms", "the range is empty"),
            ("median 5ms", "a median needs its p99"),
            ("median 5ms, p99 1ms", "the p99 is less than the median"),
            ("median 0s, p99 1ms", "the median is zero"),
            ("8days", "this is longer than a week"),
        ] {
            assert_eq!(text.parse::<Latency>(), Err(why.to_owned()), "{text}");
        }
        assert!("soon".parse::<Latency>().is_err());
    }

    #[test]
    fn each_distribution_has_its_shape() {
        let constant = sample("5ms");
        assert!(constant.iter().all(|&d| d == Duration::from_millis(5)));

        let uniform = sample("10ms to 20ms");
        assert!(uniform[0] >= Duration::from_millis(10) && uniform[9999] <= Duration::from_millis(20));
        assert!(near(uniform[5000], 15.0) && near(uniform[9000], 19.0));

        let exponential = sample("mean 10ms");
        assert!(near(exponential[5000], 6.93), "{:?}", exponential[5000]);
        assert!(near(exponential[9000], 23.0), "{:?}", exponential[9000]);

        let log_normal = sample("median 5ms, p99 50ms");
        assert!(near(log_normal[5000], 5.0), "{:?}", log_normal[5000]);
        let p99 = log_normal[9900].as_secs_f64();
        assert!((0.040..0.060).contains(&p99), "{p99}");
    }

    #[test]
    fn chance_makes_nothing_longer_than_a_week() {
        let latency: Latency = "median 1ms, p99 7days".parse().unwrap();
        assert_eq!(latency.at(Chances(1e-300, 1.0)), LONGEST);
    }
}
