-- Checked statements on their way from the processes that follow to the one that writes. Nothing in here is acknowledged, so it
-- needs no protection against a crash: whoever waits for a statement's receipt keeps the statement, and puts it in again.

CREATE UNLOGGED TABLE scrutineer.inbox (
    member bytea NOT NULL CHECK (octet_length(member) = 16), -- who put it in
    number bigint NOT NULL, -- a parcel keeps its number when it is put in again, and so is in at most once
    arrival bigint GENERATED ALWAYS AS IDENTITY,
    body bytea NOT NULL, -- statements, each after its length in two bytes
    PRIMARY KEY (member, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE scrutineer.inbox ALTER COLUMN body SET STORAGE EXTERNAL;
