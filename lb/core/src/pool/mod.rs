//! Which server a connection goes to, and what becomes of connections when servers change.
