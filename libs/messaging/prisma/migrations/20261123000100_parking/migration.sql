-- A key that waits behind a message which failed. No row: the key flows.
CREATE TABLE messaging.parked_key (
    consumer_group text NOT NULL,
    key text NOT NULL,
    -- What follows is about the first message of the key's queue.
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    reason text,
    error text,
    stack text,
    next_at timestamptz NOT NULL,
    -- Waits for a person, not for a time.
    held boolean NOT NULL DEFAULT false,
    -- Until then one replica is at it; after that it is taken for dead.
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (consumer_group, key)
);
CREATE INDEX parked_key_due ON messaging.parked_key (consumer_group, next_at) WHERE NOT held;

-- The messages of parked keys, in the order in which they are to be applied; as they were received, byte for byte.
CREATE TABLE messaging.parked_message (
    consumer_group text NOT NULL,
    key text NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    message_id uuid NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    timestamp_ms bigint NOT NULL,
    record_key bytea,
    value bytea,
    -- JSON: name -> value or values; bytes that are no text as { base64 }.
    headers text NOT NULL,
    -- How often people sent it here again, and the dead letter (topic/partition/offset) it came from the last time.
    redrives integer NOT NULL DEFAULT 0 CHECK (redrives >= 0),
    redrive_of text,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer_group, key, seq)
);
