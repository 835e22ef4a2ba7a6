-- One row.
CREATE TABLE topic (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    partitions INTEGER NOT NULL
);

CREATE TABLE partition (
    number INTEGER PRIMARY KEY,
    -- the offset of the record that is written next
    next INTEGER NOT NULL
);

-- `id` is the partition, and in its lower 48 bits the offset: a partition's records lie together, in order.
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    -- milliseconds since 1970, of the host's clock
    at INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL
);

-- What a group has done of a partition, and which member reads it now.
CREATE TABLE progress (
    grp TEXT NOT NULL,
    partition INTEGER NOT NULL,
    -- the offset of the first record that is not done
    next INTEGER NOT NULL,
    member TEXT,
    -- grows whenever a member takes the partition: who has lost it cannot commit
    epoch INTEGER NOT NULL,
    PRIMARY KEY (grp, partition)
) WITHOUT ROWID;

CREATE TABLE member (
    grp TEXT NOT NULL,
    id TEXT NOT NULL,
    -- milliseconds of the host's monotonic clock, which all its processes share
    seen INTEGER NOT NULL,
    PRIMARY KEY (grp, id)
) WITHOUT ROWID;
