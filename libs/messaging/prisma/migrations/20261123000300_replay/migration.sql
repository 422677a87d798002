-- What the handlers of this service are, written by each replica when it starts: tools must know what can be rebuilt.
CREATE TABLE messaging.handler (
    name text PRIMARY KEY,
    kind text NOT NULL,
    -- The tables of a read model; none where it cannot be rebuilt beside the live one.
    tables text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The last or present rebuilding of each projection. People write wishes, the replica that holds the lease writes the rest.
CREATE TABLE messaging.replay (
    projection text PRIMARY KEY,
    replay_id uuid NOT NULL,
    -- From the first record after this moment; NULL: from the first one there is.
    from_time timestamptz,
    -- A rebuilt read model may replace the live one although something is missing in it.
    accepts_loss boolean NOT NULL DEFAULT false,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    wish text NOT NULL DEFAULT 'read' CHECK (wish IN ('read', 'pause', 'compare', 'swap', 'cancel')),
    state text NOT NULL DEFAULT 'asked'
        CHECK (state IN ('asked', 'reading', 'caught-up', 'paused', 'swapped', 'cancelled', 'failed')),
    -- Until then one replica is at it; after that it is taken for dead.
    leased_by text,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    -- Offsets behind it, and all that there are up to where the live projection stands.
    passed bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    per_second double precision NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    -- Why it does not go on at present, why the last swap was refused, or why it failed.
    problem text,
    -- What is missing in the rebuilt read model, and what else is worth knowing: sentences.
    losses text[] NOT NULL DEFAULT '{}',
    notes text[] NOT NULL DEFAULT '{}',
    comparison jsonb,
    ended_at timestamptz,
    CHECK ((state IN ('swapped', 'cancelled', 'failed')) = (ended_at IS NOT NULL))
);

-- How far a rebuilding has read.
CREATE TABLE messaging.replay_position (
    projection text NOT NULL REFERENCES messaging.replay ON DELETE CASCADE,
    topic text NOT NULL,
    partition integer NOT NULL,
    -- Where the log began and where reading began.
    first_offset bigint NOT NULL,
    begin_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    -- Offsets on the way whose records were gone.
    missing bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (projection, topic, partition)
);

-- Messages that a rebuilding could not apply.
CREATE TABLE messaging.replay_left_out (
    projection text NOT NULL REFERENCES messaging.replay ON DELETE CASCADE,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    message_id uuid NOT NULL,
    key text NOT NULL,
    reason text NOT NULL,
    error text NOT NULL,
    -- Waits in the live projection too: what follows it under its key must not overtake it.
    is_parked boolean NOT NULL,
    PRIMARY KEY (projection, topic, partition, record_offset)
);

-- What the last swap of a projection brought in: a dead letter from there must not be applied on top of it.
CREATE TABLE messaging.replay_swapped (
    projection text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    begin_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    -- Offsets in between whose messages could not be applied.
    left_out bigint[] NOT NULL,
    swapped_at timestamptz NOT NULL,
    PRIMARY KEY (projection, topic, partition)
);
