//! The life of a message at a gateway.
