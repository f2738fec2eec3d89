"""The way to a PostgreSQL server: its address without the password, the connection, and its failures in plain words."""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field, replace

import psycopg
from psycopg.conninfo import conninfo_to_dict

from scrutineer.errors import StoreError

Connection = psycopg.Connection[tuple[object, ...]]

OLDEST_SERVER = 14
SCHEMES = ("postgresql://", "postgres://")

# What applies unless the address says otherwise. A peer that went away without a word is given up after about ten seconds.
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds
    "application_name": "scrutineer",
}

# Failures after which the tables cannot be trusted, by SQLSTATE.
DAMAGED = ("XX001", "XX002", "58030")
_RESTORE = "the tables are damaged; restore them from a backup or from a mirror of the log"
_LOGIN = "check user and password; a password file (~/.pgpass) keeps the password out of the address"
_NO_DATABASE = "create the database (createdb) or check its name"
_FULL = "the server takes no more connections; close some or raise max_connections"
_WAIT = "the server is starting or stopping; try again in a moment"
_PRIMARY = "a standby can only be read; give the address of the primary server"
_ADVICE = {
    "28P01": _LOGIN,
    "28000": _LOGIN + "; or let the server's pg_hba.conf admit this user",
    "3D000": _NO_DATABASE,
    "42501": "give this user the right to use the schema scrutineer and its tables",
    "53100": "the server's disk is full; make room and try again",
    "53300": _FULL,
    "57P01": _WAIT,
    "57P02": _WAIT,
    "57P03": _WAIT,
    "25006": _PRIMARY,
    "55P03": "another program holds a lock in the database; close it and try again",
    **dict.fromkeys(DAMAGED, _RESTORE),
}
# A connection that was refused brings no SQLSTATE, so the text has to tell.
_SIGNS = (
    ("password", _LOGIN),
    ("no pg_hba.conf entry", _ADVICE["28000"]),
    ("role ", _LOGIN),
    ("does not exist", _NO_DATABASE),
    ("too many clients", _FULL),
    ("connection slots", _FULL),
    ("the database system is", _WAIT),
    ("session is read-only", _PRIMARY),
)
_UNREACHABLE = "the server cannot be reached; check host and port, and that it is running"


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a database. Its text never shows the password."""

    parameters: dict[str, str] = field(repr=False)
    text: str
    given: frozenset[str] = frozenset()
    """Names of the parameters that the address itself sets."""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a `postgresql://` URL. Raises StoreError, without any part of the URL: a part may belong to the password."""
        advice = (
            "write it as postgresql://USER@HOST:PORT/DATABASE, with %25 %2F %3A %40 for the characters % / : @ "
            "in a name or password"
        )
        if not url.startswith(SCHEMES):
            raise StoreError(f"the address of the log store does not begin with postgresql://; {advice}")
        try:
            found = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        except psycopg.Error:
            raise StoreError(f"the address of the log store cannot be read; {advice}") from None
        host, port, database = found.get("host", ""), found.get("port", ""), found.get("dbname", "")
        # A password with an unescaped @ or / runs into what follows it.
        ports = [part for part in port.split(",") if part]
        if "@" in host or {"@", "/"} & set(database) or not all(part.isascii() and part.isdigit() for part in ports):
            raise StoreError(f"the address of the log store cannot be read; {advice}")
        user = found.get("user", "")
        text = f"postgresql://{user}{'@' * bool(user)}{host}{':' * bool(port)}{port}/{database}"
        return cls(_DEFAULTS | found, text, frozenset(found))

    def with_defaults(self, defaults: dict[str, str]) -> "Address":
        """The same address with other values for what it does not say itself."""
        changed = {key: value for key, value in defaults.items() if key not in self.given}
        return replace(self, parameters=self.parameters | changed)

    def __str__(self) -> str:
        return self.text

    def connect(self) -> Connection:
        """Connect, with every statement its own transaction. Raises StoreError."""
        try:
            connection = psycopg.connect("", autocommit=True, **self.parameters)  # type: ignore[arg-type]
        except psycopg.Error as error:
            raise self.explain(error) from None
        version = connection.info.server_version // 10_000
        if version < OLDEST_SERVER:
            connection.close()
            raise self.error(f"the server is PostgreSQL {version}; {OLDEST_SERVER} or newer is needed")
        return connection

    def error(self, message: str) -> StoreError:
        """Return an error that names this address."""
        return StoreError(f"log store {self.text}: {message}")

    def explain(self, error: psycopg.Error) -> StoreError:
        """Return a failure of the server in plain words, with what to do."""
        message = " ".join((error.diag.message_primary or str(error)).split())
        for secret in ("password", "sslpassword"):
            if self.parameters.get(secret):
                message = message.replace(self.parameters[secret], "…")
        advice = _ADVICE.get(error.sqlstate or "")
        if advice is None and error.sqlstate is None and isinstance(error, psycopg.OperationalError):
            advice = next((advice for sign, advice in _SIGNS if sign in message), _UNREACHABLE)
        return self.error(message + (f"; {advice}" if advice else ""))


def hang_up(connection: Connection | None) -> None:
    """End a connection that another thread may be waiting on: that one gets an error at once."""
    if connection is not None:
        # Between the look and the touch the other thread may have closed it.
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
