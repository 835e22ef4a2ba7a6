-- Moments are milliseconds since 1970 UTC.

-- One row: the last key, and how much there is.
CREATE TABLE marks (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    last_key INTEGER NOT NULL,      -- of messages
    messages INTEGER NOT NULL,
    open     INTEGER NOT NULL,      -- messages that something is to come of
    orphans  INTEGER NOT NULL
);
INSERT INTO marks VALUES (1, 0, 0, 0, 0);

-- What is known of each message. The columns beside `journey` follow from it, for searching. Each index costs a page
-- somewhere in it for each message, so there are few, and but for two they grow at one end.
CREATE TABLE messages (
    key     INTEGER PRIMARY KEY,
    uaop_id TEXT NOT NULL,
    at      INTEGER NOT NULL,
    number  TEXT,                   -- national; NULL: no copy yet
    empi    TEXT,
    carrier TEXT,
    stage   INTEGER NOT NULL,
    due     INTEGER,                -- `at`, while its bank waits for a report
    journey TEXT NOT NULL           -- JSON
);
CREATE UNIQUE INDEX messages_id ON messages (uaop_id);
CREATE INDEX messages_number ON messages (number, at) WHERE number IS NOT NULL;
CREATE INDEX messages_at ON messages (at);
CREATE INDEX messages_empi ON messages (empi, at) WHERE empi IS NOT NULL;
CREATE INDEX messages_due ON messages (due) WHERE due IS NOT NULL;

-- Which part each carrier has given which id.
CREATE TABLE responses (
    carrier       TEXT NOT NULL,
    resp_sequence TEXT NOT NULL,
    message       INTEGER NOT NULL, -- its key
    part          INTEGER NOT NULL,
    PRIMARY KEY (carrier, resp_sequence)
) WITHOUT ROWID;

-- Reports whose message is not known.
CREATE TABLE orphans (
    key           INTEGER PRIMARY KEY AUTOINCREMENT,
    carrier       TEXT NOT NULL,
    resp_sequence TEXT NOT NULL,
    report        TEXT NOT NULL,    -- its own id, or what it says
    at            INTEGER NOT NULL,
    told          TEXT NOT NULL     -- JSON
);
CREATE UNIQUE INDEX orphans_response ON orphans (carrier, resp_sequence, report);
CREATE INDEX orphans_at ON orphans (at);

CREATE TABLE user_messages (
    key     INTEGER PRIMARY KEY,
    mo_id   TEXT NOT NULL,
    part    INTEGER NOT NULL,       -- 0: it is whole
    at      INTEGER NOT NULL,
    sender  TEXT NOT NULL,
    empi    TEXT NOT NULL,
    message TEXT NOT NULL           -- JSON
);
CREATE UNIQUE INDEX user_messages_id ON user_messages (mo_id, part);
CREATE INDEX user_messages_at ON user_messages (at);
CREATE INDEX user_messages_sender ON user_messages (sender, at);

-- What is to be published for the banks, in this order. No place is given twice.
CREATE TABLE outbox (
    place  INTEGER PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL            -- JSON
);

-- Records of the bus that cannot be understood.
CREATE TABLE aside (
    key   INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    part  INTEGER NOT NULL,         -- partition
    place INTEGER NOT NULL,         -- offset
    value BLOB NOT NULL,
    error TEXT NOT NULL,
    at    INTEGER NOT NULL
);
CREATE UNIQUE INDEX aside_place ON aside (topic, part, place);

CREATE TABLE alarms (
    what     TEXT NOT NULL,
    about    TEXT NOT NULL,
    raised   INTEGER NOT NULL,      -- 0: it is over
    at       INTEGER NOT NULL,      -- of what was said last
    first_at INTEGER NOT NULL,
    times    INTEGER NOT NULL,      -- raised anew
    known_at INTEGER,               -- to an operator
    seen_by  TEXT NOT NULL,         -- JSON
    alarm    TEXT NOT NULL,         -- JSON
    PRIMARY KEY (what, about)
) WITHOUT ROWID;

-- Messages and parts of each day by what they are.
CREATE TABLE figures (
    day      TEXT NOT NULL,
    empi     TEXT NOT NULL,
    class    TEXT NOT NULL,
    carrier  TEXT NOT NULL,         -- empty: none yet
    state    INTEGER NOT NULL,      -- 0: none yet
    messages INTEGER NOT NULL,
    parts    INTEGER NOT NULL,
    PRIMARY KEY (day, empi, class, carrier, state)
) WITHOUT ROWID;

-- Messages of the center's own.
CREATE TABLE orders (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    uaop_id    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    waiting    INTEGER NOT NULL,    -- 0: a UAOP has it
    resend_of  TEXT,
    submission TEXT NOT NULL        -- JSON
);
CREATE UNIQUE INDEX orders_id ON orders (uaop_id);
CREATE INDEX orders_waiting ON orders (key) WHERE waiting = 1;
