//! What `--only` chooses among.

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::failover::Scenario;
use crate::gateway::{SETUPS, Setup};
use crate::row::Row;

const FAILOVER: &str = "failover";
const GATEWAY: &str = "gateway";
const CODEC: &str = "codec";

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Row(Row),
    Scenario(Scenario),
    /// All scenarios.
    Failover,
    Setup(&'static Setup),
    /// All setups.
    Gateway,
    /// All PDUs of all protocols.
    Codec,
}

/// Everything, in the order of the report.
pub fn all() -> Vec<Part> {
    let rows = Row::all().into_iter().map(Part::Row);
    rows.chain([Part::Failover, Part::Gateway, Part::Codec]).collect()
}

/// The rows among these.
pub fn rows(parts: &[Part]) -> Vec<Row> {
    let row = |part: &Part| match part {
        Part::Row(row) => Some(*row),
        Part::Scenario(_) | Part::Failover | Part::Setup(_) | Part::Gateway | Part::Codec => None,
    };
    parts.iter().filter_map(row).collect()
}

/// The scenarios among these.
pub fn scenarios(parts: &[Part]) -> Vec<Scenario> {
    let scenarios = |part: &Part| match part {
        Part::Row(_) | Part::Setup(_) | Part::Gateway | Part::Codec => Vec::new(),
        Part::Scenario(scenario) => vec![*scenario],
        Part::Failover => Scenario::all(),
    };
    parts.iter().flat_map(scenarios).collect()
}

/// The gateway's setups among these.
pub fn setups(parts: &[Part]) -> Vec<Setup> {
    let setups = |part: &Part| match part {
        Part::Row(_) | Part::Scenario(_) | Part::Failover | Part::Codec => Vec::new(),
        Part::Setup(setup) => vec![**setup],
        Part::Gateway => SETUPS.to_vec(),
    };
    parts.iter().flat_map(setups).collect()
}

/// Reads one from the command line.
pub fn parser() -> impl TypedValueParser<Value = Part> {
    let rows = Row::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let scenarios = Scenario::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let every = PossibleValue::new(FAILOVER).help("All of the following: a pair of hosts loses something");
    let gateway = PossibleValue::new(GATEWAY).help("All of the following: messages through a gateway");
    let setups = SETUPS.iter().map(|setup| PossibleValue::new(setup.name).help(setup.title()));
    let codec = PossibleValue::new(CODEC).help("Encode and decode PDUs, beside a copy of their bytes");
    let load = rows.chain([every]).chain(scenarios);
    PossibleValuesParser::new(load.chain([gateway]).chain(setups).chain([codec])).try_map(|name| parse(&name))
}

fn parse(name: &str) -> Result<Part, String> {
    match name {
        FAILOVER => return Ok(Part::Failover),
        GATEWAY => return Ok(Part::Gateway),
        CODEC => return Ok(Part::Codec),
        _ => {}
    }
    if let Some(setup) = Setup::named(name) {
        return Ok(Part::Setup(setup));
    }
    Row::from_str(name, false).map(Part::Row).or_else(|_| Scenario::from_str(name, false).map(Part::Scenario))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_name() {
        for row in Row::all() {
            assert_eq!(parse(&row.to_string()), Ok(Part::Row(row)));
        }
        for scenario in Scenario::all() {
            assert_eq!(parse(&scenario.to_string()), Ok(Part::Scenario(scenario)));
        }
        assert_eq!(scenarios(&[parse("failover").unwrap()]), Scenario::all());
        for setup in &SETUPS {
            assert_eq!(parse(setup.name), Ok(Part::Setup(setup)));
        }
        assert_eq!(setups(&[parse("gateway").unwrap()]), SETUPS);
        assert_eq!(parse("codec"), Ok(Part::Codec));
        assert!(parse("nonsense").is_err());
    }

    #[test]
    fn a_whole_run_has_all_of_them() {
        assert_eq!(rows(&all()), Row::all());
        assert_eq!(scenarios(&all()), Scenario::all());
        assert_eq!(setups(&all()), SETUPS);
        assert!(all().contains(&Part::Codec));
    }
}
