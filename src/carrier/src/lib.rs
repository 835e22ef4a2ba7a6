//! A simulated carrier, good enough to test a customer against.
