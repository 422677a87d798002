-- Topics that are given more partitions, or were: while a topic is frozen, the relays of this database hold it back. A row stays
-- afterwards.
CREATE TABLE messaging.frozen_topic (
    topic text PRIMARY KEY,
    -- Of this freeze, new with each: relays that hold the topic back say so by an advisory lock of this number.
    freeze_no integer GENERATED ALWAYS AS IDENTITY,
    -- A lease: whoever froze it renews this, so that a tool that died freezes nothing for ever.
    frozen_until timestamptz NOT NULL,
    frozen_by text NOT NULL,
    -- How many partitions it was given the last time, and when.
    partitions integer CHECK (partitions > 0),
    grown_at timestamptz
);
