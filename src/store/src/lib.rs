//! What must survive a kill: SQLite behind one writer thread with batched commits.
