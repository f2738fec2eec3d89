"""A log's store in PostgreSQL, for those who run one log with several machines. Needs the extra `postgresql`."""

from scrutineer.errors import StoreError

try:
    import psycopg as _driver  # noqa: F401
except ImportError as _error:
    raise StoreError(f"PostgreSQL's driver is missing ({_error}): install scrutineer[postgresql]") from None

from scrutineer.log.postgresql.schema import migrate
from scrutineer.log.postgresql.store import PostgresqlStore

__all__ = ["PostgresqlStore", "migrate"]
