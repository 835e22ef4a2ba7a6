//! Tables for people on a terminal: columns without lines.

use comfy_table::{CellAlignment, presets};

pub use comfy_table::{Cell, Table};

/// An empty table below `header`.
#[must_use]
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A cell whose text stands at its right.
#[must_use]
pub fn number(value: impl ToString) -> Cell {
    Cell::new(value.to_string()).set_alignment(CellAlignment::Right)
}
