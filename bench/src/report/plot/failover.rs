//! The gaps of the pairs, on a logarithmic scale: a bar to the median, a whisker to the worst.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Plot, color, drawing};
use crate::contestant::Contestant;
use crate::failover::{Cell, Failover};
use crate::report::failover::length;

const WIDTH: i32 = 1100;
const LEFT: i32 = 220;
const RIGHT: i32 = 200;
const TOP: i32 = 90;
const BOTTOM: i32 = 20;
const BAR: i32 = 16;
const GAP: i32 = 14;
/// Milliseconds at the left end; shorter gaps have no bar.
const SHORTEST: f64 = 1.0;

pub fn plot(failover: &Failover) -> Result<Option<Plot>> {
    if failover.lines.is_empty() {
        return Ok(None);
    }
    let title =
        format!("Longest gap that a client sees: median and worst of {} trials, ms", failover.trials());
    let mut svg = String::new();
    draw(&mut svg, &title, failover).map_err(drawing)?;
    Ok(Some(Plot { file: "failover.svg", title, svg }))
}

type Drawn<'a> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(svg: &'a mut String, title: &str, failover: &Failover) -> Drawn<'a> {
    let heights = failover.lines.iter().map(|line| BAR * line.cells.len() as i32 + GAP);
    let height = TOP + BOTTOM + heights.sum::<i32>();
    let area =
        SVGBackend::with_string(svg, (WIDTH.cast_unsigned(), height.cast_unsigned())).into_drawing_area();
    area.fill(&WHITE)?;
    let middle = |size: i32, horizontal| {
        ("sans-serif", size).into_text_style(&area).pos(Pos::new(horizontal, VPos::Center))
    };
    area.draw(&Text::new(title.to_owned(), (WIDTH / 2, 24), middle(22, HPos::Center)))?;
    let mut x = LEFT;
    for one in failover.contestants() {
        area.draw(&Rectangle::new([(x, 48), (x + 14, 60)], color(one).filled()))?;
        area.draw(&Text::new(name(one), (x + 20, 54), middle(15, HPos::Left)))?;
        x += 200;
    }
    let scale = Scale { longest: failover.limit_ms as f64 };
    for tick in ticks(scale.longest) {
        let line = vec![(scale.at(tick), TOP - 4), (scale.at(tick), height - BOTTOM)];
        area.draw(&PathElement::new(line, RGBColor(210, 210, 210).stroke_width(1)))?;
        area.draw(&Text::new(format!("{tick}"), (scale.at(tick), TOP - 14), middle(13, HPos::Center)))?;
    }
    let mut y = TOP + GAP / 2;
    for line in &failover.lines {
        let bars = BAR * line.cells.len() as i32;
        let label = (LEFT - 12, y + bars / 2);
        area.draw(&Text::new(line.scenario.title(), label, middle(15, HPos::Right)))?;
        for cell in &line.cells {
            let (median, worst) = (scale.end(cell.median), scale.end(cell.worst));
            let bar = [(LEFT, y), (median, y + BAR - 2)];
            area.draw(&Rectangle::new(bar, color(cell.contestant).filled()))?;
            let center = y + BAR / 2 - 1;
            for path in [vec![(median, center), (worst, center)], vec![(worst, y + 3), (worst, y + BAR - 5)]]
            {
                area.draw(&PathElement::new(path, BLACK.stroke_width(1)))?;
            }
            area.draw(&Text::new(numbers(failover, cell), (worst + 6, center), middle(12, HPos::Left)))?;
            y += BAR;
        }
        y += GAP;
    }
    area.present()
}

fn name(contestant: Contestant) -> &'static str {
    contestant.title_as_pair().unwrap_or_else(|| contestant.title())
}

fn numbers(failover: &Failover, cell: &Cell) -> String {
    if cell.median.is_none() {
        return length(failover, None);
    }
    format!("{}, worst {}", length(failover, cell.median), length(failover, cell.worst))
}

/// Powers of ten up to the longest.
fn ticks(longest: f64) -> impl Iterator<Item = f64> {
    (0..).map(|power| SHORTEST * 10_f64.powi(power)).take_while(move |tick| *tick <= longest)
}

struct Scale {
    /// Milliseconds at the right end.
    longest: f64,
}

impl Scale {
    fn at(&self, milliseconds: f64) -> i32 {
        let share =
            (milliseconds.clamp(SHORTEST, self.longest) / SHORTEST).ln() / (self.longest / SHORTEST).ln();
        LEFT + (share * f64::from(WIDTH - LEFT - RIGHT)).round() as i32
    }

    /// A gap without an end goes to the right end.
    fn end(&self, gap: Option<f64>) -> i32 {
        self.at(gap.unwrap_or(self.longest))
    }
}
