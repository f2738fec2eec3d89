"""What the simulated people say, in the order in which it arrives, unsigned; and how it is signed.

Most arrivals hold a payload that is ready to be signed. A few can only be written once something else is signed, because
they name it: a decision names a sheet by its hash. Such a payload is `Pending`: `sign_arrivals` keeps the hash of every
arrival that has a `name`, and writes out what is pending when its turn comes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from scrutineer.errors import UsageError
from scrutineer.statements import Payload, SigningKey, sign_statement, statement_hash

KeyOf = Callable[[str], SigningKey]
"""The signing key of an issuer, by issuer id."""


class Recall:
    """What is known by now to someone who writes a statement: hashes of named statements, public keys of issuers."""

    def __init__(self, key_of: KeyOf) -> None:
        self._key_of = key_of
        self._hashes: dict[str, bytes] = {}

    def keep(self, name: str, statement: bytes) -> None:
        """Keep the hash of a signed statement under a name."""
        self._hashes[name] = statement_hash(statement)

    def statement(self, name: str) -> bytes:
        """Hash of the statement that was kept under a name. Raises UsageError where none was."""
        found = self._hashes.get(name)
        if found is None:
            raise UsageError(f"an act names the statement {name!r}, which was not signed yet: sign the arrivals in their order")
        return found

    def public_key(self, issuer: str) -> bytes:
        """Public key of an issuer."""
        return self._key_of(issuer).public_key


class Pending(NamedTuple):
    """A payload that names something signed before it."""

    write: Callable[[Recall], Payload]


class Arrival(NamedTuple):
    """One statement that reaches the intake service."""

    time: int
    """When it arrives, seconds since 1970."""
    issuer: str
    payload: Payload | Pending
    name: str = ""
    """Under which a later act names it; empty for nearly all."""


def sign_arrivals(arrivals: Iterable[Arrival], key_of: KeyOf) -> Iterator[bytes]:
    """Sign arrivals one by one, each with its issuer's key; yields the statements in the same order."""
    recall = Recall(key_of)
    for _, issuer, given, name in arrivals:
        payload = given.write(recall) if isinstance(given, Pending) else given
        statement = sign_statement(payload, issuer, key_of(issuer))
        if name:
            recall.keep(name, statement)
        yield statement
