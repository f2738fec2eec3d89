"""What the tests of the attack record share: journals in folders, clocks that a test sets, and the service with its record."""

import http.client
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from intake_helpers import Republic, station_key
from scrutineer.http.connection import MAX_BODY_SIZE
from scrutineer.http.problems import read_problem
from scrutineer.intake.incidents import IncidentRecord, Logged
from scrutineer.intake.incidents.chain import Record, Window, read_record
from scrutineer.intake.incidents.journal import journal_files, read_lines
from scrutineer.statements import Accreditation, Incident, SigningKey, parse_statement, sign_statement

ELECTION = bytes(range(32))
TIME = 1_735_689_600  # 2025-01-01T00:00:00Z


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Kept:
    """A record in a folder, with its clocks and what it said."""

    def __init__(self, folder: Path, election: bytes = ELECTION, window: float = 60.0) -> None:
        self.folder, self.election, self.window = folder, election, window
        self.wall, self.steady = Clock(TIME), Clock(0.0)
        self.said: list[str] = []
        self.record = self.open()

    def open(self) -> IncidentRecord:
        return IncidentRecord.open(
            self.folder, self.election, window=self.window, clock=self.wall, monotonic=self.steady, warn=self.said.append
        )

    def end_window(self, seconds: float = 60.0) -> None:
        """Let time pass, and write what was counted in it."""
        self.wall.now += seconds
        self.steady.now += seconds
        self.record.flush()

    def reopen(self) -> None:
        self.record.close()
        self.record = self.open()


def records(folder: Path) -> list[Record]:
    return [read_record(line) for path in journal_files(folder) for line in read_lines(path)[0]]


def windows(folder: Path) -> list[Window]:
    return [record for record in records(folder) if isinstance(record, Window)]


def totals(folder: Path) -> dict[str, int]:
    """How many requests of each kind all windows hold."""
    sums: dict[str, int] = {}
    for window in windows(folder):
        for kind, count in window.totals.items():
            sums[kind] = sums.get(kind, 0) + count
    return sums


def change(path: Path, number: int, **changes: object) -> None:
    """Change a record in its file as somebody would who does not know of the hashes."""
    lines = path.read_bytes().splitlines()
    value = json.loads(lines[number]) | changes
    lines[number] = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(b"".join(line + b"\n" for line in lines))


OPERATOR = SigningKey(b"o" * 32)
REASONS_SENT = {
    "forged-signature": "bad-signature",
    "unknown-key": "unknown-key",
    "replay": "duplicate",
    "wrong-election": "wrong-election",
    "not-in-definition": "unknown-station",
    "malformed": "malformed",
    "oversize": "too-large",
    "scan": "not-found",
}
"""What `bad_request` can send, by kind, with the reason of the answer."""


def operator_admitted(land: Republic) -> bytes:
    """The accreditation of an operator."""
    admitted = Accreditation(
        election=land.election.hash, action="admit", issuer="operator/intake", role="operator", key=OPERATOR.public_key
    )
    return land.by_authority(admitted)


def sign_incident(incident: Incident) -> bytes:
    return sign_statement(incident, "operator/intake", OPERATOR)


def bad_request(land: Republic, kind: str, number: int) -> tuple[str, str, bytes]:
    """Method, path and body of a request that is refused for a reason of this kind; a replay is of `land.sheet()`."""
    station, key = "station/n1", station_key("n1")
    match kind:
        case "forged-signature":
            sheet = land.sheet(roll=1 + number)
            return "POST", "/entries", sheet[:-1] + bytes([sheet[-1] ^ 1])
        case "unknown-key":
            return "POST", "/entries", land.sign(land.sheet_of(roll=1 + number), station, OPERATOR)
        case "replay":
            return "POST", "/entries", land.sheet()
        case "wrong-election":
            elsewhere = land.sheet_of(roll=1 + number, election=number.to_bytes(32))
            return "POST", "/entries", land.sign(elsewhere, station, key)
        case "not-in-definition":
            atlantis = land.sheet_of(roll=1 + number)._replace(station="atlantis")
            return "POST", "/entries", land.sign(atlantis, station, key)
        case "malformed":
            return "POST", "/entries", b"number %d" % number
        case "oversize":
            return "POST", "/entries", bytes(MAX_BODY_SIZE + 1)
        case _:
            return "GET", f"/admin/{number}", b""


def send(address: tuple[str, int], requests: Iterable[tuple[str, str, bytes]]) -> Iterator[tuple[int, str]]:
    """Send requests one after the other on one connection; status and reason of each answer."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        for method, path, body in requests:
            connection.request(method, path, body or None, {"content-type": "application/cose"})
            response = connection.getresponse()
            problem = read_problem(data) if (data := response.read()) and response.status >= 400 else None
            yield response.status, problem.code if problem else ""
    finally:
        connection.close()


def logged_incidents(entries: Iterable[bytes]) -> list[Logged]:
    """The incidents of a log."""
    found = []
    for index, entry in enumerate(entries):
        statement = parse_statement(entry)
        if isinstance(statement.payload, Incident):
            found.append(Logged(index, statement.issuer, statement.payload))
    return found
