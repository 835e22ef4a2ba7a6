-- Moments are milliseconds since 1970 UTC. Names and ids are compared byte by byte ("C"), which is quick and the same
-- everywhere.

-- What banks gave. A row is written three times, hence the room beside it.
CREATE TABLE messages (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uaop_id     text COLLATE "C" NOT NULL UNIQUE,
    bank        text COLLATE "C" NOT NULL,
    reference   text COLLATE "C" NOT NULL,
    digest      bytea NOT NULL,            -- of what may not differ under one id
    accepted_at bigint NOT NULL,
    handed_at   bigint,                    -- NULL: it waits
    revision    bigint NOT NULL DEFAULT 0, -- of its report; 0 = none
    report      bigint,                    -- items.cursor of its report
    submission  text NOT NULL              -- JSON
) WITH (fillfactor = 80);
CREATE INDEX messages_reference ON messages (bank, reference, key);
CREATE INDEX messages_accepted ON messages (accepted_at);

-- Which messages wait for a UAOP, and at which node. Places grow for each node in the order of commits: they are given
-- under a lock.
CREATE TABLE waiting (
    place bigint GENERATED ALWAYS AS IDENTITY,
    key   bigint PRIMARY KEY,
    node  text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);
CREATE UNIQUE INDEX waiting_node ON waiting (node, place);

-- When the processes that share this store last said that they live.
CREATE TABLE nodes (
    name text COLLATE "C" PRIMARY KEY,
    seen bigint NOT NULL
);

-- How many messages each bank gave in each minute.
CREATE TABLE accepted (
    bank     text COLLATE "C" NOT NULL,
    minute   bigint NOT NULL,
    messages bigint NOT NULL,
    PRIMARY KEY (bank, minute)
) WITH (fillfactor = 50);
CREATE INDEX accepted_minute ON accepted (minute);

-- What came on the topic, by its offset there.
CREATE TABLE items (
    cursor    bigint PRIMARY KEY,
    bank      text COLLATE "C",            -- NULL: every bank's
    reference text COLLATE "C",
    uaop_id   text COLLATE "C",            -- of a report
    at        bigint NOT NULL,             -- when it was kept
    item      text NOT NULL                -- JSON
);
CREATE INDEX items_bank ON items (bank, cursor);
CREATE INDEX items_at ON items (at);

-- The last reports on messages that are not known here.
CREATE TABLE strays (
    uaop_id  text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    cursor   bigint NOT NULL
);

-- Which bank is to be called about which item.
CREATE TABLE calls (
    cursor bigint NOT NULL,
    bank   text COLLATE "C" NOT NULL,
    tries  bigint NOT NULL,
    since  bigint NOT NULL,
    due    bigint NOT NULL,
    PRIMARY KEY (cursor, bank)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);
CREATE INDEX calls_due ON calls (due, cursor, bank);
CREATE INDEX calls_bank ON calls (bank, due, cursor);
