-- Moments are milliseconds since 1970 UTC.

-- What banks gave. AUTOINCREMENT: no key is given twice, so that whoever reads in the order of keys misses none.
CREATE TABLE messages (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    uaop_id     TEXT NOT NULL,
    bank        TEXT NOT NULL,
    reference   TEXT NOT NULL,
    digest      BLOB NOT NULL,              -- of what may not differ under one id
    accepted_at INTEGER NOT NULL,
    handed_at   INTEGER,                    -- NULL: it waits
    revision    INTEGER NOT NULL DEFAULT 0, -- of its report; 0 = none
    report      INTEGER,                    -- items.cursor of its report
    submission  TEXT NOT NULL               -- JSON
);
CREATE UNIQUE INDEX messages_id ON messages (uaop_id);
CREATE INDEX messages_reference ON messages (bank, reference);
CREATE INDEX messages_accepted ON messages (accepted_at);

-- Keys of the messages that wait for a UAOP.
CREATE TABLE waiting (
    key INTEGER PRIMARY KEY
);

-- How many messages each bank gave in each minute.
CREATE TABLE accepted (
    bank     TEXT NOT NULL,
    minute   INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (bank, minute)
) WITHOUT ROWID;
CREATE INDEX accepted_minute ON accepted (minute);

-- What came on the topic, by its offset there.
CREATE TABLE items (
    cursor    INTEGER PRIMARY KEY,
    bank      TEXT,                         -- NULL: every bank's
    reference TEXT,
    uaop_id   TEXT,                         -- of a report
    at        INTEGER NOT NULL,             -- when it was kept
    item      TEXT NOT NULL                 -- JSON
);
CREATE INDEX items_bank ON items (bank);    -- and in it by cursor
CREATE INDEX items_at ON items (at);

-- The last reports on messages that are not known here.
CREATE TABLE strays (
    uaop_id  TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    cursor   INTEGER NOT NULL
) WITHOUT ROWID;

-- Which bank is to be called about which item.
CREATE TABLE calls (
    cursor INTEGER NOT NULL,
    bank   TEXT NOT NULL,
    tries  INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    due    INTEGER NOT NULL,
    PRIMARY KEY (cursor, bank)
) WITHOUT ROWID;
CREATE INDEX calls_due ON calls (due, cursor, bank);
CREATE INDEX calls_bank ON calls (bank, due, cursor);

-- Written to learn whether the disk takes anything again.
CREATE TABLE probe (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    writes INTEGER NOT NULL
);
INSERT INTO probe VALUES (1, 0);
