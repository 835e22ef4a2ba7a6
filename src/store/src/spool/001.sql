-- One row: what the next start must know even when every other row is gone.
CREATE TABLE marks (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    epoch        INTEGER NOT NULL, -- of the last start
    last_key     INTEGER NOT NULL, -- the last message's
    last_event   INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL, -- events up to here
    unfinished   INTEGER NOT NULL  -- rows of messages
);
INSERT INTO marks VALUES (1, 0, 0, 0, 0, 0);

-- Every message that is remembered; the place where a duplicate is found.
CREATE TABLE known (
    uaop_id TEXT PRIMARY KEY,
    key     INTEGER NOT NULL,
    digest  BLOB NOT NULL,         -- of the submission
    outcome TEXT                   -- NULL: unfinished
) WITHOUT ROWID;

-- The unfinished ones. Their texts and numbers are gone with the row.
CREATE TABLE messages (
    key        INTEGER PRIMARY KEY,
    uaop_id    TEXT NOT NULL,
    taken_at   INTEGER NOT NULL,
    progress   TEXT NOT NULL,
    submission TEXT NOT NULL
);

-- Which messages finished when, many a row, for forgetting them.
CREATE TABLE finished (
    id    INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,        -- of the last of them
    lines BLOB NOT NULL            -- their uaop_ids
);
CREATE INDEX finished_at ON finished (at);

-- Events not yet acknowledged, many a row, a line each, numbered from `first` to `last`.
CREATE TABLE events (
    last  INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    lines BLOB NOT NULL
);

-- Who reads events under a name of its own, and up to where it has them.
CREATE TABLE consumers (
    name         TEXT PRIMARY KEY,
    acknowledged INTEGER NOT NULL
) WITHOUT ROWID;

-- Parts of users' long messages that wait for the others.
CREATE TABLE fragments (
    id      INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    key     TEXT NOT NULL,
    part    INTEGER NOT NULL,
    parts   INTEGER NOT NULL,
    coding  INTEGER NOT NULL,
    content BLOB NOT NULL,
    at      INTEGER NOT NULL
);
