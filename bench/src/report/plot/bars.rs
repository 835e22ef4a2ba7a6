//! The absolute numbers: one panel per row, with the spread over the rounds.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Plot, color, drawing};
use crate::report::number;
use crate::results::{Line, Metric, Results};
use crate::row::Row;

const PANEL: (i32, i32) = (400, 260);
const COLUMNS: usize = 3;
const TITLE: i32 = 44;
/// Of the bars inside a panel.
const FLOOR: i32 = 210;
const CEILING: i32 = 60;

/// The panels, in order, for those that were measured.
const SHOWN: [(Row, Metric); 9] = [
    (Row::Requests, Metric::Rate),
    (Row::Connections, Metric::Rate),
    (Row::FixedRate, Metric::P99),
    (Row::Download, Metric::Rate),
    (Row::Upload, Metric::Rate),
    (Row::Memory, Metric::Memory),
    (Row::Requests, Metric::Cpu),
    (Row::Connections, Metric::Cpu),
    (Row::Download, Metric::Cpu),
];

pub fn plot(results: &Results) -> Result<Option<Plot>> {
    let find = |wanted: &(Row, Metric)| results.lines.iter().find(|line| (line.row, line.metric) == *wanted);
    let lines: Vec<&Line> = SHOWN.iter().filter_map(find).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let title = format!("Medians of {} rounds, with smallest and largest", results.settings.rounds);
    let mut svg = String::new();
    draw(&mut svg, &title, &lines).map_err(drawing)?;
    Ok(Some(Plot { file: "medians.svg", title, svg }))
}

type Drawn<'a> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(svg: &'a mut String, title: &str, lines: &[&Line]) -> Drawn<'a> {
    let rows = lines.len().div_ceil(COLUMNS);
    let columns = lines.len().min(COLUMNS);
    let width = PANEL.0 * columns as i32;
    let height = TITLE + PANEL.1 * rows as i32;
    let area =
        SVGBackend::with_string(svg, (width.cast_unsigned(), height.cast_unsigned())).into_drawing_area();
    area.fill(&WHITE)?;
    let (head, panels) = area.split_vertically(TITLE);
    let style = ("sans-serif", 22).into_text_style(&area).pos(Pos::new(HPos::Center, VPos::Center));
    head.draw(&Text::new(title.to_owned(), (width / 2, TITLE / 2), style))?;
    for (panel, line) in panels.split_evenly((rows, columns)).iter().zip(lines) {
        draw_panel(panel, line)?;
    }
    area.present()
}

fn draw_panel<'a>(panel: &DrawingArea<SVGBackend<'a>, Shift>, line: &Line) -> Drawn<'a> {
    let centered =
        |size: i32| ("sans-serif", size).into_text_style(panel).pos(Pos::new(HPos::Center, VPos::Center));
    let (metric, unit) = (line.metric, line.unit);
    let what = match metric {
        Metric::Rate | Metric::Cpu | Metric::Memory | Metric::BaseMemory => unit.to_owned(),
        Metric::P50 | Metric::P90 | Metric::P99 | Metric::P999 => format!("{metric} latency, {unit}"),
    };
    let better = if line.more_is_better { "more is better" } else { "less is better" };
    panel.draw(&Text::new(format!("{}: {what}", line.row), (PANEL.0 / 2, 18), centered(16)))?;
    panel.draw(&Text::new(better, (PANEL.0 / 2, 36), centered(12).color(&RGBColor(110, 110, 110))))?;

    let most = line.cells.iter().map(|cell| cell.max).fold(f64::MIN_POSITIVE, f64::max);
    let y = |value: f64| FLOOR - (value / most * f64::from(FLOOR - CEILING)).round() as i32;
    let step = (PANEL.0 - 30) / line.cells.len().max(1) as i32;
    for (place, cell) in (0_i32..).zip(&line.cells) {
        let x = 15 + step * place + step / 2;
        let half = (step / 2 - 8).min(32);
        let bar = [(x - half, y(cell.median)), (x + half, FLOOR)];
        panel.draw(&Rectangle::new(bar, color(cell.contestant).filled()))?;
        for path in whisker(x, y(cell.min), y(cell.max)) {
            panel.draw(&PathElement::new(path, BLACK.stroke_width(1)))?;
        }
        let above = (x, y(cell.max) - 9);
        panel.draw(&Text::new(number(cell.median), above, centered(13)))?;
        panel.draw(&Text::new(cell.contestant.title(), (x, FLOOR + 14), centered(12)))?;
    }
    panel.draw(&PathElement::new(vec![(12, FLOOR), (PANEL.0 - 12, FLOOR)], BLACK.stroke_width(1)))
}

fn whisker(x: i32, low: i32, high: i32) -> [Vec<(i32, i32)>; 3] {
    [vec![(x, low), (x, high)], vec![(x - 5, low), (x + 5, low)], vec![(x - 5, high), (x + 5, high)]]
}
