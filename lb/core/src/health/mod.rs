//! Whether a server is usable.
