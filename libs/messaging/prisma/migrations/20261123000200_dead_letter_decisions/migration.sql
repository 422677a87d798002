-- What people decided about dead letters, and why: the record of who did what, and what keeps a letter from being redriven twice.
CREATE TABLE messaging.dead_letter_decision (
    consumer_group text NOT NULL,
    -- Where the message stood when it was received (topic/partition/offset), and when it failed: tells a letter from those before and
    -- after it, and is the same for a letter that was appended twice.
    origin text NOT NULL,
    failed_at timestamptz NOT NULL,
    -- Where the letter was that the person saw.
    partition integer NOT NULL,
    letter_offset bigint NOT NULL,
    decision text NOT NULL CHECK (decision IN ('redriven', 'discarded')),
    decided_by text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    message_id text,
    message_type text,
    message_key bytea,
    -- Only where the body was edited.
    body_before bytea,
    body_after bytea,
    PRIMARY KEY (consumer_group, origin, failed_at)
);

-- What people did to parked keys, and why.
CREATE TABLE messaging.parked_decision (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer_group text NOT NULL,
    key text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('retried', 'skipped')),
    decided_by text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The first message of the key's queue then.
    message_id uuid NOT NULL
);
CREATE INDEX parked_decision_of_key ON messaging.parked_decision (consumer_group, key, seq);
