//! Process kit without business words.
