//! Which gateway a message goes to: number → carrier ([`Segments`]) → targets of the carrier and the class ([`Routes`]) →
//! their order for this message (`rank`).

mod rank;
mod router;
mod segments;
#[cfg(test)]
mod tests;

pub use router::{Router, Routes, Target, Unroutable};
pub use segments::Segments;
