-- How far each account is, for the deciders: one row per group and account.
CREATE TABLE account (
    consumer_group text NOT NULL,
    account text NOT NULL,
    lines integer NOT NULL CHECK (lines < 100000),
    PRIMARY KEY (consumer_group, account)
);

-- Every application of a message, in order: what the suite compares with what was sent.
CREATE TABLE ledger (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer_group text NOT NULL,
    account text NOT NULL,
    message_id uuid NOT NULL,
    replica text NOT NULL
);

-- The read model of the projection.
CREATE TABLE balance (
    account text PRIMARY KEY,
    lines integer NOT NULL,
    last_line integer NOT NULL
);

-- How a handler fares with an account, or with one line of it.
CREATE TABLE trouble (
    account text NOT NULL,
    line integer,
    kind text NOT NULL CHECK (kind IN ('refuse', 'fail', 'break', 'wait'))
);

-- What the outside world saw; written in transactions of its own, so it remembers what was rolled back here.
CREATE SEQUENCE outside_clock;
CREATE TABLE outside (
    began bigint NOT NULL DEFAULT nextval('outside_clock') PRIMARY KEY,
    ended bigint,
    what text NOT NULL CHECK (what IN ('call', 'wait')),
    account text NOT NULL,
    message_id uuid NOT NULL,
    idempotency_key text,
    replica text NOT NULL
);
