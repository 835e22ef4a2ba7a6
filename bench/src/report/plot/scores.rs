//! Everyone against the best peer, line by line.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Plot, color, drawing};
use crate::contestant::Contestant;
use crate::report::contestants;
use crate::results::Results;

const WIDTH: i32 = 1100;
const LEFT: i32 = 340;
const RIGHT: i32 = 60;
const TOP: i32 = 90;
const BOTTOM: i32 = 20;
const BAR: i32 = 13;
const GAP: i32 = 12;
/// Longer bars are cut, with their number beside.
const LONGEST: f64 = 2.0;
/// A bar of this score has room for its number.
const ROOM: f64 = 0.15;

pub fn plot(results: &Results) -> Result<Option<Plot>> {
    let names: Vec<Contestant> =
        contestants(results).into_iter().filter(|one| *one != Contestant::Direct).collect();
    let groups: Vec<Group> = results
        .lines
        .iter()
        .map(|line| Group {
            label: format!("{}: {}, {}", line.row, line.metric, line.unit),
            bars: names.iter().filter_map(|one| Some((*one, line.score(*one)?))).collect(),
        })
        .filter(|group| !group.bars.is_empty())
        .collect();
    if groups.is_empty() {
        return Ok(None);
    }
    let title = "Relative to the best of nginx and HAProxy (longer is better)".to_owned();
    let height = TOP + BOTTOM + groups.iter().map(Group::height).sum::<i32>();
    let mut svg = String::new();
    draw(&mut svg, height, &title, &names, &groups).map_err(drawing)?;
    Ok(Some(Plot { file: "scores.svg", title, svg }))
}

struct Group {
    label: String,
    bars: Vec<(Contestant, f64)>,
}

impl Group {
    fn height(&self) -> i32 {
        self.bars.iter().map(|_| BAR).sum::<i32>() + GAP
    }
}

type Drawn<'a> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(
    svg: &'a mut String,
    height: i32,
    title: &str,
    names: &[Contestant],
    groups: &[Group],
) -> Drawn<'a> {
    let area =
        SVGBackend::with_string(svg, (WIDTH.cast_unsigned(), height.cast_unsigned())).into_drawing_area();
    area.fill(&WHITE)?;
    let middle = |size: i32, horizontal| {
        ("sans-serif", size).into_text_style(&area).pos(Pos::new(horizontal, VPos::Center))
    };
    area.draw(&Text::new(title.to_owned(), (WIDTH / 2, 24), middle(22, HPos::Center)))?;
    let mut x = LEFT;
    for name in names {
        area.draw(&Rectangle::new([(x, 48), (x + 14, 60)], color(*name).filled()))?;
        area.draw(&Text::new(name.title(), (x + 20, 54), middle(15, HPos::Left)))?;
        x += 150;
    }
    for tick in 0..=4_i32 {
        let value = f64::from(tick) * LONGEST / 4.0;
        let style = if tick == 2 { BLACK.stroke_width(2) } else { RGBColor(210, 210, 210).stroke_width(1) };
        let line = vec![(at(value), TOP - 4), (at(value), height - BOTTOM)];
        area.draw(&PathElement::new(line, style))?;
        area.draw(&Text::new(format!("{value:.1}"), (at(value), TOP - 14), middle(13, HPos::Center)))?;
    }
    let mut y = TOP + GAP / 2;
    for group in groups {
        let center = y + (group.height() - GAP) / 2;
        area.draw(&Text::new(group.label.clone(), (LEFT - 12, center), middle(15, HPos::Right)))?;
        for (name, score) in &group.bars {
            let bar = Rectangle::new([(LEFT, y), (at(*score), y + BAR - 1)], color(*name).filled());
            area.draw(&bar)?;
            // Inside its bar, so that it does not run into the line of the best peer.
            let (x, style) = if *score > ROOM {
                (at(*score) - 4, middle(11, HPos::Right).color(&WHITE))
            } else {
                (at(*score) + 4, middle(11, HPos::Left))
            };
            area.draw(&Text::new(format!("{score:.2}"), (x, y + BAR / 2), style))?;
            y += BAR;
        }
        y += GAP;
    }
    area.present()
}

fn at(score: f64) -> i32 {
    let share = score.clamp(0.0, LONGEST) / LONGEST;
    LEFT + (share * f64::from(WIDTH - LEFT - RIGHT)).round() as i32
}
