"""The tables, made and changed by numbered SQL files, each applied once and in order."""

from importlib.resources import files

import psycopg

from scrutineer.log.postgresql.server import Address, Connection

_LOCK = 7_166_213_405_908_264_237  # any number that nobody else uses: two migrations at once would disturb each other
_PREPARE = """
CREATE SCHEMA IF NOT EXISTS scrutineer;
CREATE TABLE IF NOT EXISTS scrutineer.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied timestamptz NOT NULL DEFAULT now()
);
"""


def migrations() -> list[tuple[str, str]]:
    """Name and SQL of every migration, in order; the n-th (from 1) leads to version n."""
    folder = files("scrutineer.log.postgresql") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name, (folder / name).read_text(encoding="utf-8")) for name in names]


def migrate(url: str) -> list[str]:
    """Bring a database to the version of this program, and return the names of the migrations that were applied.

    All of them are one transaction: done or not done. A writer that is at work is cut off by it, and can write again
    only when it is opened anew. Raises StoreError when the server cannot be used, or when the tables are newer than
    this program.
    """
    address = Address.parse(url)
    connection = address.connect()
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            version = _version(connection)
            known = migrations()
            if version > len(known):
                raise address.error(_newer(version, len(known)))
            if version == 0:
                connection.execute(_PREPARE)
            elif version < len(known):
                connection.execute("UPDATE scrutineer.tip SET fence = fence + 1")
            for number, (name, sql) in enumerate(known[version:], version + 1):
                # The text of a file of this package; there is nothing in it that came from outside.
                connection.execute(sql.encode())
                connection.execute("INSERT INTO scrutineer.migration (version, name) VALUES (%s, %s)", (number, name))
        return [name for name, _sql in known[version:]]
    except psycopg.Error as error:
        raise address.explain(error) from None
    finally:
        connection.close()


def require_version(address: Address, connection: Connection) -> None:
    """Raise StoreError unless the tables are those of this program."""
    version, needed = _version(connection), len(migrations())
    if version == 0:
        raise address.error("there is no log in this database; create it there or check the address")
    if version < needed:
        raise address.error(f"its tables are of version {version}, and this program needs {needed}: migrate them")
    if version > needed:
        raise address.error(_newer(version, needed))


def _version(connection: Connection) -> int:
    (found,) = connection.execute("SELECT to_regclass('scrutineer.migration') IS NOT NULL").fetchone() or (False,)
    if not found:
        return 0
    (version,) = connection.execute("SELECT coalesce(max(version), 0) FROM scrutineer.migration").fetchone() or (0,)
    return int(str(version))


def _newer(version: int, needed: int) -> str:
    return f"its tables are of version {version}, and this program knows them to {needed}: use a newer Scrutineer"
