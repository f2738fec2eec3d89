"""What the store says to PostgreSQL, and what it makes of the rows."""

import struct
from collections.abc import Iterable, Iterator
from typing import cast

from scrutineer.log.postgresql.server import Connection
from scrutineer.log.store import Head

COPY_BUFFER = 1 << 20  # bytes sent at a time

# Nothing may end a statement of the writer early: a commit that is cancelled while it waits for a standby is kept. Nor may
# the session end for being idle, for the lock would go with it. The server gives up a client that went away without a word
# after about two seconds, so that another can take over; and `synchronous_commit` is at least `on`: an answer means that the
# disk has it, here and on synchronous standbys.
WRITER_SETTINGS = """
SET statement_timeout = 0;
SET idle_session_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET lock_timeout = '10s';
SET tcp_keepalives_idle = 1;
SET tcp_keepalives_interval = 1;
SET tcp_keepalives_count = 2;
SET tcp_user_timeout = '2s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
"""
STATE = """
SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('fsync'), current_setting('transaction_read_only')
"""

# The head moves by compare-and-swap: where size or fence is another, no row is updated, and so nothing is inserted. A second
# writer waits here for the first one's transaction and then finds the size moved. Who follows the log is told at the commit.
APPEND = """
WITH moved AS (
    UPDATE scrutineer.tip SET size = %(size)s WHERE size = %(start)s AND fence = %(fence)s RETURNING fence
), headed AS (
    INSERT INTO scrutineer.head (size, root, signature, time_ms, fence)
    SELECT %(size)s, %(root)s, %(signature)s, %(time_ms)s, fence FROM moved
), stored AS (
    INSERT INTO scrutineer.entry (idx, body)
    SELECT %(start)s + place - 1, body FROM moved, unnest(%(bodies)b::bytea[]) WITH ORDINALITY AS batch (body, place)
)
SELECT count(pg_notify('scrutineer_head', '')) FROM moved
"""
MOVE = """
WITH moved AS (UPDATE scrutineer.tip SET size = %(size)s WHERE size = %(start)s AND fence = %(fence)s RETURNING fence)
SELECT count(*) FROM moved
"""
ADD_HEAD = """
INSERT INTO scrutineer.head (size, root, signature, time_ms, fence)
VALUES (%(size)s, %(root)s, %(signature)s, %(time_ms)s, %(fence)s)
"""
COPY = "COPY scrutineer.entry (idx, body) FROM STDIN (FORMAT binary)"
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
COPY_ROW = struct.Struct(">hiqi")  # fields in the row, bytes of the index, index, bytes of the body

SET_META = """
WITH mine AS (SELECT FROM scrutineer.tip WHERE fence = %(fence)s FOR UPDATE), written AS (
    INSERT INTO scrutineer.meta (key, value) SELECT %(key)s, %(value)s FROM mine
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
)
SELECT count(*) FROM mine
"""
META = "SELECT value FROM scrutineer.meta WHERE key = %s"
HEAD = "SELECT size, root, signature, time_ms FROM scrutineer.head "
HEADS = HEAD + "WHERE size > %s AND size <= %s ORDER BY size LIMIT %s"
LAST_HEAD = HEAD + "ORDER BY size DESC LIMIT 1"

RAISE_FENCE = "UPDATE scrutineer.tip SET fence = fence + 1 RETURNING fence, pg_notify('scrutineer_lead', '')"
FENCE = "SELECT fence FROM scrutineer.tip"

# Of whoever holds the lock on this number, in this database: an advisory lock keeps its number in two halves.
END_LEAD = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND (classid::bigint << 32) | objid::bigint = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

Row = tuple[object, ...]


def rows(connection: Connection, sql: str, parameters: tuple[object, ...] | dict[str, object] = ()) -> list[Row]:
    """Run a statement and return all its rows."""
    # Binary, for the bodies would otherwise travel as hexadecimal digits.
    cursor = connection.cursor(binary=True)
    return cursor.execute(sql.encode(), parameters).fetchall()


def count(connection: Connection, sql: str, parameters: dict[str, object]) -> bool:
    """Run a statement that answers with a number; whether that was one."""
    ((count,),) = rows(connection, sql, parameters)
    return count == 1


def head(row: Row) -> Head:
    """The head in a row of its table."""
    size, root, signature, time_ms = row
    return Head(cast("int", size), cast("bytes", root), cast("bytes", signature), cast("int", time_ms))


def copy_stream(start: int, entries: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a batch in the binary format of COPY, in parts of about `COPY_BUFFER` bytes."""
    parts, size = [COPY_HEADER], 0
    for index, entry in enumerate(entries, start):
        parts += (COPY_ROW.pack(2, 8, index, len(entry)), entry)
        size += COPY_ROW.size + len(entry)
        if size >= COPY_BUFFER:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join([*parts, COPY_END])
