//! Sessions without I/O: bytes and time in; bytes, events and the next deadline out.
