"""The inbox in the database: parcels of statements on their way to the process that leads, and the calls that wake it."""

import json
from typing import Final, NamedTuple, cast

import psycopg

from scrutineer.errors import StoreError
from scrutineer.log.postgresql.server import Address, Connection, hang_up

TAKEN: Final = 4  # parcels taken out in one step
MAX_DETAIL: Final = 500  # characters of a refusal's sentence; what PostgreSQL passes on has room for 8,000 bytes

# One statement each, so one round trip. The call goes out with the commit.
_PUT: Final = """
WITH arrived AS (
    INSERT INTO scrutineer.inbox (member, number, body)
    SELECT %(member)s, number, body FROM unnest(%(numbers)s::bigint[], %(bodies)b::bytea[]) AS parcel (number, body)
    ON CONFLICT DO NOTHING
)
SELECT pg_notify('scrutineer_inbox', '')
"""
# Nobody takes anything out who has been replaced meanwhile.
_TAKE: Final = """
DELETE FROM scrutineer.inbox WHERE (member, number) IN (
    SELECT member, number FROM scrutineer.inbox
    WHERE EXISTS (SELECT FROM scrutineer.tip WHERE fence = %(fence)s)
    ORDER BY arrival LIMIT %(limit)s
)
RETURNING member, body
"""
_REFUSE: Final = "SELECT pg_notify('scrutineer_refused', call) FROM unnest(%(calls)s::text[]) AS call"
_LISTEN: Final = "LISTEN scrutineer_head; LISTEN scrutineer_lead; LISTEN scrutineer_inbox; LISTEN scrutineer_refused"


class Refusal(NamedTuple):
    """Why the process that leads did not record a statement that another had let pass."""

    leaf: bytes
    code: str
    detail: str

    def to_call(self) -> str:
        """The text in which it travels."""
        return json.dumps([self.leaf.hex(), self.code, self.detail[:MAX_DETAIL]])

    @classmethod
    def from_call(cls, call: str) -> "Refusal | None":
        """Read it; None where the text is not one."""
        try:
            leaf, code, detail = json.loads(call)
            return cls(bytes.fromhex(leaf), str(code), str(detail))
        except (ValueError, TypeError):
            return None


class Calls(NamedTuple):
    """What was heard at a time."""

    led: bool
    """Another process has begun to lead, or this one."""
    arrived: bool
    """There are parcels in the inbox."""
    refused: list[Refusal]


class Inbox:
    """A process's way to the inbox, on a connection of its own that is made anew when it was lost. For one thread at a time."""

    def __init__(self, address: Address, member: bytes) -> None:
        """`member` is the 16-byte name of this process."""
        self._address = address
        self._member = member
        self._connection: Connection | None = None
        self._closed = False

    def put(self, parcels: list[tuple[int, bytes]]) -> None:
        """Put parcels in, each with its number; one that is in already stays. Raises StoreError."""
        numbers, bodies = [number for number, _ in parcels], [body for _, body in parcels]
        self._run(_PUT, {"member": self._member, "numbers": numbers, "bodies": bodies})

    def take(self, fence: int) -> list[bytes]:
        """Take out the oldest parcels, unless another leads than the holder of this fence. Raises StoreError.

        Those of this process itself are dropped: what it waits for it has.
        """
        rows = self._run(_TAKE, {"fence": fence, "limit": TAKEN})
        return [cast("bytes", body) for member, body in rows if member != self._member]

    def refuse(self, refusals: list[Refusal]) -> None:
        """Tell those who wait. Raises StoreError."""
        self._run(_REFUSE, {"calls": [refusal.to_call() for refusal in refusals]})

    def hang_up(self) -> None:
        """End what another thread is waiting for here, and refuse everything from now on."""
        self._closed = True
        hang_up(self._connection)

    def close(self) -> None:
        """Close the connection, once no other thread uses it."""
        if self._connection is not None:
            self._connection.close()

    def _run(self, sql: str, values: dict[str, object]) -> list[tuple[object, ...]]:
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = self._address.connect()
        if self._closed:
            connection.close()
            raise self._address.error("closed")
        try:
            return connection.cursor(binary=True).execute(sql.encode(), values).fetchall()
        except psycopg.Error as error:
            connection.close()
            raise self._address.explain(error) from None


class Listener:
    """Hears the calls of the other processes. For one thread."""

    def __init__(self, address: Address) -> None:
        """Connect and listen: nothing that is called from now on is missed. Raises StoreError."""
        self._address = address
        self._connection = address.connect()
        try:
            self._connection.execute(_LISTEN)
        except psycopg.Error as error:
            self._connection.close()
            raise address.explain(error) from None

    def wait(self, seconds: float) -> Calls:
        """Wait for a call at most so long, and return what was heard. Raises StoreError when the connection is lost."""
        led = arrived = False
        refused: list[Refusal] = []
        try:
            for call in self._connection.notifies(timeout=seconds, stop_after=1):
                led |= call.channel == "scrutineer_lead"
                arrived |= call.channel == "scrutineer_inbox"
                if call.channel == "scrutineer_refused" and (refusal := Refusal.from_call(call.payload)) is not None:
                    refused.append(refusal)
        except psycopg.Error as error:
            raise self._address.explain(error) from None
        return Calls(led, arrived, refused)

    def hang_up(self) -> None:
        """End the wait of another thread."""
        hang_up(self._connection)

    def close(self) -> None:
        """Close the connection, in the thread that waits on it."""
        self._connection.close()


def pack(statements: list[bytes]) -> bytes:
    """A parcel's body: every statement after its length in two bytes, big-endian."""
    return b"".join([part for statement in statements for part in (len(statement).to_bytes(2), statement)])


def unpack(body: bytes) -> list[bytes]:
    """The statements of a parcel. Raises StoreError where it is not one."""
    statements, at = [], 0
    while at < len(body):
        start = at + 2
        at = start + int.from_bytes(body[at:start])
        statements.append(body[start:at])
    if at != len(body):
        raise StoreError("a parcel in the inbox has not the length that it says")
    return statements
