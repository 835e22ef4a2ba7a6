//! Configuration text to typed values.
