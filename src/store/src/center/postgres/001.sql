-- Moments are milliseconds since 1970 UTC.

-- One row: the last key, and how much there is.
CREATE TABLE marks (
    one      bigint PRIMARY KEY CHECK (one = 1),
    last_key bigint NOT NULL,      -- of messages
    messages bigint NOT NULL,
    open     bigint NOT NULL,      -- messages that something is to come of
    orphans  bigint NOT NULL
);
INSERT INTO marks VALUES (1, 0, 0, 0, 0);

-- What is known of each message. The columns beside `journey` follow from it, for searching. Each index costs a page
-- somewhere in it for each message, so there are few, and but for two they grow at one end.
CREATE TABLE messages (
    key     bigint PRIMARY KEY,
    uaop_id text NOT NULL,
    at      bigint NOT NULL,
    number  text,                   -- national; NULL: no copy yet
    empi    text,
    carrier text,
    stage   bigint NOT NULL,
    due     bigint,                -- `at`, while its bank waits for a report
    journey text NOT NULL           -- JSON
);
CREATE UNIQUE INDEX messages_id ON messages (uaop_id);
CREATE INDEX messages_number ON messages (number, at) WHERE number IS NOT NULL;
CREATE INDEX messages_at ON messages (at);
CREATE INDEX messages_empi ON messages (empi, at) WHERE empi IS NOT NULL;
CREATE INDEX messages_due ON messages (due) WHERE due IS NOT NULL;

-- Which part each carrier has given which id.
CREATE TABLE responses (
    carrier       text NOT NULL,
    resp_sequence text NOT NULL,
    message       bigint NOT NULL, -- its key
    part          bigint NOT NULL,
    PRIMARY KEY (carrier, resp_sequence)
);

-- Reports whose message is not known.
CREATE TABLE orphans (
    key           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier       text NOT NULL,
    resp_sequence text NOT NULL,
    report        text NOT NULL,    -- its own id, or what it says
    at            bigint NOT NULL,
    told          text NOT NULL     -- JSON
);
CREATE UNIQUE INDEX orphans_response ON orphans (carrier, resp_sequence, report);
CREATE INDEX orphans_at ON orphans (at);

CREATE TABLE user_messages (
    key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mo_id   text NOT NULL,
    part    bigint NOT NULL,       -- 0: it is whole
    at      bigint NOT NULL,
    sender  text NOT NULL,
    empi    text NOT NULL,
    message text NOT NULL           -- JSON
);
CREATE UNIQUE INDEX user_messages_id ON user_messages (mo_id, part);
CREATE INDEX user_messages_at ON user_messages (at);
CREATE INDEX user_messages_sender ON user_messages (sender, at);

-- What is to be published for the banks, in this order. No place is given twice.
CREATE TABLE outbox (
    place  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record text NOT NULL            -- JSON
);

-- Records of the bus that cannot be understood.
CREATE TABLE aside (
    key   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    part  bigint NOT NULL,         -- partition
    place bigint NOT NULL,         -- offset
    value bytea NOT NULL,
    error text NOT NULL,
    at    bigint NOT NULL
);
CREATE UNIQUE INDEX aside_place ON aside (topic, part, place);

CREATE TABLE alarms (
    what     text NOT NULL,
    about    text NOT NULL,
    raised   bigint NOT NULL,      -- 0: it is over
    at       bigint NOT NULL,      -- of what was said last
    first_at bigint NOT NULL,
    times    bigint NOT NULL,      -- raised anew
    known_at bigint,               -- to an operator
    seen_by  text NOT NULL,         -- JSON
    alarm    text NOT NULL,         -- JSON
    PRIMARY KEY (what, about)
);

-- Messages and parts of each day by what they are.
CREATE TABLE figures (
    day      text NOT NULL,
    empi     text NOT NULL,
    class    text NOT NULL,
    carrier  text NOT NULL,         -- empty: none yet
    state    bigint NOT NULL,      -- 0: none yet
    messages bigint NOT NULL,
    parts    bigint NOT NULL,
    PRIMARY KEY (day, empi, class, carrier, state)
);

-- Messages of the center's own.
CREATE TABLE orders (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uaop_id    text NOT NULL,
    at         bigint NOT NULL,
    waiting    bigint NOT NULL,    -- 0: a UAOP has it
    resend_of  text,
    submission text NOT NULL        -- JSON
);
CREATE UNIQUE INDEX orders_id ON orders (uaop_id);
CREATE INDEX orders_waiting ON orders (key) WHERE waiting = 1;
