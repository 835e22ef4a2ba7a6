//! Text on its way into short messages and out of them: codings, parts, signatures.
