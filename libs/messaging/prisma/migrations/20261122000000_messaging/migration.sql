-- What the messaging runtime keeps in the database of each service, beside the service's own tables and in the same transactions.
CREATE SCHEMA messaging;

-- Which messages each consumer group has settled. A message id is a UUIDv7, so the index grows at its end and old ids are
-- purged by range.
CREATE TABLE messaging.inbox (
    consumer_group text NOT NULL,
    message_id uuid NOT NULL,
    PRIMARY KEY (consumer_group, message_id)
);

-- What was said and is not yet acknowledged by Kafka. Rows live for milliseconds.
CREATE TABLE messaging.outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- hash(key) mod 16: one relay at a time sends a shard, so each key has one sender and keeps its order.
    shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 15),
    topic text NOT NULL,
    key text,
    value text,
    -- base64 for the key and value of a dead letter whose bytes are no text.
    encoding text NOT NULL DEFAULT 'utf8' CHECK (encoding IN ('utf8', 'base64')),
    headers text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE messaging.outbox SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

-- How far each projection has read, stored with its read model.
CREATE TABLE messaging.projection_position (
    projection text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (projection, topic, partition)
);
