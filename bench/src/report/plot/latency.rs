//! Latency over the share of requests that were faster, both on logarithmic scales, so that the slow ones show.

use anyhow::Result;
use plotters::prelude::*;

use super::{Plot, color, drawing};
use crate::results::{Latency, Results};
use crate::row::Row;

pub fn plot(results: &Results, row: Row, file: &'static str) -> Result<Option<Plot>> {
    let curves: Vec<&Latency> = results
        .latencies
        .iter()
        .filter(|latency| latency.row == row && !latency.quantiles.is_empty())
        .collect();
    if curves.is_empty() {
        return Ok(None);
    }
    let title = format!("Latency, {}", row.title());
    let mut svg = String::new();
    draw(&mut svg, &title, &curves).map_err(drawing)?;
    Ok(Some(Plot { file, title, svg }))
}

type Drawn<'a> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(svg: &'a mut String, title: &str, curves: &[&Latency]) -> Drawn<'a> {
    let area = SVGBackend::with_string(svg, (1000, 560)).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || curves.iter().flat_map(|curve| &curve.quantiles);
    let lowest = points().map(|(_, micros)| *micros).fold(f64::MAX, f64::min);
    let highest = points().map(|(_, micros)| *micros).fold(1.0, f64::max);
    let rarest = points().map(|(quantile, _)| nines(*quantile)).fold(100.0, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(50)
        .y_label_area_size(80)
        .build_cartesian_2d((1.1..rarest).log_scale(), (lowest * 0.8..highest * 1.3).log_scale())?;
    chart
        .configure_mesh()
        .bold_line_style(RGBColor(215, 215, 215))
        .light_line_style(RGBColor(240, 240, 240))
        .x_desc("share of requests that were faster")
        .y_desc("latency, µs")
        .x_labels(8)
        .x_label_formatter(&|nines| format!("{} %", percent(*nines)))
        .y_label_formatter(&|micros| format!("{micros:.0}"))
        .axis_desc_style(("sans-serif", 16))
        .label_style(("sans-serif", 13))
        .draw()?;
    for curve in curves {
        let color = color(curve.contestant);
        let points = curve.quantiles.iter().map(|(quantile, micros)| (nines(*quantile), *micros));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(3)))?
            .label(curve.contestant.title())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 22, y)], color.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 15))
        .background_style(WHITE.mix(0.9))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    area.present()
}

/// 0.99 is one slower in 100.
fn nines(quantile: f64) -> f64 {
    1.0 / (1.0 - quantile)
}

/// 100 is 99 %, 1000 is 99.9 %.
fn percent(nines: f64) -> String {
    let decimals = (nines.log10() - 2.0).ceil().max(0.0) as usize;
    format!("{:.decimals$}", 100.0 - 100.0 / nines)
}
