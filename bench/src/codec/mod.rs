//! What it costs to encode and to decode a PDU, beside a copy of its bytes. Inside this process: there is nobody else
//! to compare with.

mod results;
mod samples;

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use nix::time::{ClockId, clock_gettime};
use wire::cmpp::Cmpp;
use wire::protocol::{Messages, Version};
use wire::sgip::Sgip;
use wire::smgp::Smgp;

pub use self::results::{Codec, Line};
use self::samples::Sample;
use crate::spread::Spread;

/// The time of one measurement. CPU time of the thread, so that others on the machine do not count.
const MEASURE: Duration = Duration::from_millis(40);
/// PDUs between two looks at the clock.
const BATCH: u32 = 1_000;

/// All protocols, each with all of its PDUs.
pub fn run(rounds: u32) -> Result<Codec> {
    let lines = [
        lines::<Cmpp>("CMPP 2.0", Version(0x20), rounds)?,
        lines::<Cmpp>("CMPP 3.0", Version(0x30), rounds)?,
        lines::<Sgip>("SGIP 1.2", Version(0x12), rounds)?,
        lines::<Smgp>("SMGP 3.0", Version(0x30), rounds)?,
    ];
    Ok(Codec { measure_ms: MEASURE.as_millis(), lines: lines.concat() })
}

fn lines<P: Messages>(protocol: &'static str, version: Version, rounds: u32) -> Result<Vec<Line>> {
    samples::all::<P>().into_iter().map(|sample| line::<P>(protocol, version, &sample, rounds)).collect()
}

/// Copy, encode, decode, copy, … so that what disturbs the machine disturbs all three.
fn line<P: Messages>(
    protocol: &'static str,
    version: Version,
    sample: &Sample<P>,
    rounds: u32,
) -> Result<Line> {
    let Sample { name, sequence, pdu } = sample;
    let mut frame = Vec::new();
    P::encode(version, *sequence, pdu, &mut frame);
    let mut out = Vec::with_capacity(frame.len());
    let (mut copy, mut encode, mut decode) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        copy.push(nanoseconds(|| {
            out.clear();
            out.extend_from_slice(black_box(&frame));
            black_box(&out);
        })?);
        encode.push(nanoseconds(|| {
            out.clear();
            P::encode(version, *sequence, black_box(pdu), &mut out);
            black_box(&out);
        })?);
        decode.push(nanoseconds(|| {
            // Dropped as well: what it allocates it must free.
            let _ = black_box(P::decode(version, black_box(&frame)));
        })?);
    }
    let [copy, encode, decode] = [copy, encode, decode].map(Spread::new);
    Ok(Line { protocol, pdu: name, bytes: frame.len(), copy, encode, decode })
}

/// How long one call takes, on average.
fn nanoseconds(mut call: impl FnMut()) -> Result<f64> {
    (0..BATCH).for_each(|_| call());
    let begin = cpu_time()?;
    let mut calls = 0;
    loop {
        (0..BATCH).for_each(|_| call());
        calls += BATCH;
        let took = cpu_time()? - begin;
        if took >= MEASURE {
            return Ok(took.as_secs_f64() * 1e9 / f64::from(calls));
        }
    }
}

fn cpu_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
