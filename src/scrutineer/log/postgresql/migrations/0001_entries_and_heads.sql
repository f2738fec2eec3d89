-- One log in one database: its entries, every head that was signed, and one row that says how far the log has come.

CREATE TABLE scrutineer.entry (
    idx bigint PRIMARY KEY CHECK (idx >= 0),
    body bytea NOT NULL
);
-- Statements hold signatures and digests, which do not compress.
ALTER TABLE scrutineer.entry ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE scrutineer.head (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    time_ms bigint NOT NULL CHECK (time_ms >= 0),
    fence bigint NOT NULL -- the writer that signed it
);

CREATE TABLE scrutineer.meta (
    key text PRIMARY KEY,
    value bytea NOT NULL
);

-- Every batch moves this row on from the size that its writer knew, or is not stored. Each writer raises the fence once,
-- when it begins, and whoever holds a lower one can write no more. The free space lets the row be replaced in its own page.
CREATE TABLE scrutineer.tip (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    size bigint NOT NULL CHECK (size >= 0),
    fence bigint NOT NULL CHECK (fence >= 0)
) WITH (fillfactor = 10);
INSERT INTO scrutineer.tip (size, fence) VALUES (0, 0);

-- Against slips of the hand: what was logged stays as it is.
CREATE FUNCTION scrutineer.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of scrutineer.% refused: a log is only ever added to', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON scrutineer.entry
    FOR EACH STATEMENT EXECUTE FUNCTION scrutineer.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON scrutineer.head
    FOR EACH STATEMENT EXECUTE FUNCTION scrutineer.refuse_change();
