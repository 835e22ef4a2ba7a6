//! Plots as SVG.

mod bars;
mod failover;
mod latency;
mod scores;

use anyhow::{Result, anyhow};
use plotters::style::RGBColor;

use crate::contestant::Contestant;
use crate::results::Results;
use crate::row::Row;

/// A finished plot.
pub struct Plot {
    pub file: &'static str,
    pub title: String,
    pub svg: String,
}

/// All that the results have something for.
pub fn all(results: &Results) -> Result<Vec<Plot>> {
    let plots = [
        scores::plot(results),
        bars::plot(results),
        latency::plot(results, Row::FixedRate, "latency-fixed-rate.svg"),
        latency::plot(results, Row::Requests, "latency-saturated.svg"),
        failover::plot(&results.failover),
    ];
    plots.into_iter().filter_map(Result::transpose).collect()
}

/// The same colour for the same program in every plot; told apart by the colour-blind too (Okabe and Ito).
fn color(contestant: Contestant) -> RGBColor {
    match contestant {
        Contestant::Direct => RGBColor(153, 153, 153),
        Contestant::Lb => RGBColor(213, 94, 0),
        Contestant::Nginx => RGBColor(0, 158, 115),
        Contestant::Haproxy => RGBColor(0, 114, 178),
        Contestant::HaproxySplice => RGBColor(86, 180, 233),
    }
}

/// plotters' errors carry the backend's, which do not live long enough for anyhow.
fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}
