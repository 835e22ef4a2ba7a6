//! The kit that drives real processes for tests, benchmarks and the demo.
