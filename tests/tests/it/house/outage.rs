//! What is away for longer.
