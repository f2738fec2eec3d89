"""Intake processes on one PostgreSQL store, side by side in threads: who leads, what followers answer, what is said."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")

from group_helpers import check_record, opened_database
from intake_helpers import AUTHORITIES, log_signer, republic
from postgresql_server import Server, running
from scrutineer.errors import LogError, ScrutineerError, StoreError
from scrutineer.http.problems import read_problem
from scrutineer.intake import ElectionFiles, Service
from scrutineer.intake.group import Group
from scrutineer.intake.group.inbox import Inbox, Listener, Refusal, pack
from scrutineer.intake.sequencer import FOLLOWS, LEADS, WAITS
from scrutineer.intake.server import Progress
from scrutineer.log.postgresql import migrate
from scrutineer.log.postgresql.server import Address
from scrutineer.statements import SigningKey, statement_hash
from scrutineer.statements.kinds import Accreditation

LAND = republic(4)
HOLDER = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture
def url(server: Server) -> str:
    return opened_database(server, LAND)


@pytest.fixture
def files(tmp_path: Path) -> ElectionFiles:
    return LAND.write(tmp_path)


class One:
    """One service of the group, in a thread."""

    def __init__(self, url: str, files: ElectionFiles) -> None:
        self.lines: list[str] = []
        self.now: Progress | None = None
        self.error: ScrutineerError | None = None
        self.port = 0
        started = threading.Event()
        self._group = Group.open(url, log_signer())

        def ready(address: object) -> None:
            self.port = int(str(address.url).rpartition(":")[2])  # type: ignore[attr-defined]
            started.set()

        def progress(now: Progress) -> None:
            self.now = now

        recorder = self._group.recorder(self.lines.append)
        self._service = Service(self._group.log, files, checkers=1, recorder=recorder, ready=ready, progress=progress)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert started.wait(30)

    def post(self, statement: bytes) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", "/entries", statement, {"content-type": "application/cose"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def receipt(self, statement: bytes) -> bytes:
        status, body = self.post(statement)
        assert status in (200, 201), (status, read_problem(body))
        return body

    def refusal(self, statement: bytes) -> str:
        status, body = self.post(statement)
        problem = read_problem(body)
        assert problem is not None
        assert problem.status == status
        assert "postgresql://" not in problem.detail
        return problem.code

    def read(self, name: str) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", f"/entries/{name}")
            answer = connection.getresponse()
            return answer.status, answer.read()

    def role(self) -> str:
        return self.now.role if self.now else ""

    def stop(self) -> None:
        self._service.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with closing(self._group):
                self._service.run()
        except ScrutineerError as error:
            self.error = error


def until(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def pair(url: str, files: ElectionFiles) -> Iterator[tuple[One, One]]:
    """One that leads, and one that follows."""
    with ExitStack() as stack:
        first = One(url, files)
        stack.callback(first.stop)
        until(lambda: first.role() == LEADS)
        second = One(url, files)
        stack.callback(second.stop)
        until(lambda: second.role() == FOLLOWS)
        yield first, second


def test_every_process_records_and_answers_the_same(url: str, pair: tuple[One, One]) -> None:
    told: dict[bytes, bytes] = {}
    for number in range(40):
        sheet = LAND.sheet(time=number)
        status, told[sheet] = pair[number % 2].post(sheet)
        assert status == 201
        assert pair[number % 2].post(sheet) == (200, told[sheet])
    last = next(reversed(told))
    # The one that leads has it first; the other one within a moment.
    until(lambda: all(one.read(statement_hash(last).hex())[0] == 200 for one in pair))
    for one in pair:
        for sheet, receipt in told.items():
            assert one.post(sheet) == (200, receipt)
            assert one.read(statement_hash(sheet).hex()) == (200, receipt)
    assert check_record(url, told) == [LAND.definition, *told]


def test_who_is_admitted_through_one_process_is_known_to_all(pair: tuple[One, One]) -> None:
    for number, (admitting, asked) in enumerate((pair, pair[::-1])):
        owl = SigningKey(bytes([100 + number]) * 32)
        sheet = LAND.sign(LAND.sheet_of("s2"), "station/s2", owl)
        assert asked.refusal(sheet) == "unknown-key"
        act = Accreditation(election=LAND.election.hash, action="admit", issuer="station/s2", role="station", key=owl.public_key)
        admitting.receipt(LAND.sign(act, "authority/0", AUTHORITIES[0]))
        until(lambda asked=asked, sheet=sheet: asked.post(sheet)[0] in (200, 201))  # type: ignore[misc]


def test_who_leads_checks_what_others_let_pass(url: str, pair: tuple[One, One]) -> None:
    """Whatever is in the inbox, nothing is signed that the process that leads has not checked itself."""
    address = Address.parse(url)
    bad = LAND.sheet(counts=(1,))
    good = LAND.sheet(time=77)
    listener = Listener(address)
    inbox = Inbox(address, b"nobody of this group"[:16])
    try:
        inbox.put([(1, pack([bad, good])), (2, b"\xff\xffnot a parcel"), (3, pack([b"noise"]))])
        heard: list[Refusal] = []
        until(lambda: heard.extend(listener.wait(0.1).refused) or len(heard) == 2)
        assert {(refusal.leaf, refusal.code) for refusal in heard} == {
            (statement_hash(bad), "wrong-shape"),
            (statement_hash(b"noise"), "malformed"),
        }
    finally:
        listener.close()
        inbox.close()
    until(lambda: pair[1].post(good)[0] == 200)
    assert check_record(url, {}) == [LAND.definition, good]
    assert any("a parcel in the inbox" in line for line in pair[0].lines)


def test_a_stopped_process_hands_over(url: str, files: ElectionFiles, pair: tuple[One, One]) -> None:
    receipt = pair[1].receipt(LAND.sheet(time=1))
    pair[0].stop()
    assert pair[0].error is None
    assert pair[1].post(LAND.sheet(time=1)) == (200, receipt)
    told = {LAND.sheet(time=number): pair[1].receipt(LAND.sheet(time=number)) for number in range(5)}
    assert pair[1].lines == ["This process leads now: it writes the log."]
    check_record(url, told)


def test_who_loses_its_session_follows_or_leads_anew(server: Server, url: str, pair: tuple[One, One]) -> None:
    told: dict[bytes, bytes] = {}
    for number in range(12):
        server.sql(HOLDER)
        for one in pair:
            sheet = LAND.sheet("s1", time=2 * number + (one is pair[0]))
            told[sheet] = one.receipt(sheet)
    assert len(check_record(url, told)) == 1 + len(told)
    assert all("leads now" in line for one in pair for line in one.lines)


def test_a_store_that_takes_no_batch_is_said_once(server: Server, url: str, files: ElectionFiles) -> None:
    """A full disk, for one: the process stays, and says one line when it begins and one when it is over."""
    one = One(url, files)
    try:
        receipt = one.receipt(LAND.sheet(time=1))
        server.sql("ALTER TABLE scrutineer.head ADD CONSTRAINT full_disk CHECK (size < 3)", url)
        for number in range(8):
            assert one.refusal(LAND.sheet(time=10 + number)) == "store-failed"
            time.sleep(0.1)
        assert one.post(LAND.sheet(time=1)) == (200, receipt)
        server.sql("ALTER TABLE scrutineer.head DROP CONSTRAINT full_disk", url)
        until(lambda: one.post(LAND.sheet(time=9))[0] in (200, 201))
        until(lambda: one.role() == LEADS)
        assert [line.partition(":")[0] for line in one.lines] == [
            "This process leads now",
            "Nothing can be recorded until the store is back",
            one.lines[-1].partition(":")[0],
        ]
        assert one.lines[-1].startswith("The store is back after")
    finally:
        one.stop()
    assert one.error is None


def test_an_outage_is_said_once_and_known_statements_are_answered(url: str, server: Server, pair: tuple[One, One]) -> None:
    sheet = LAND.sheet(time=1)
    receipt = pair[0].receipt(sheet)
    until(lambda: pair[1].read(statement_hash(sheet).hex())[0] == 200)
    server.stop()
    until(lambda: all(one.role() == WAITS for one in pair))
    for one in pair:
        assert one.post(sheet) == (200, receipt)
        assert one.refusal(LAND.sheet(time=2)) == "store-failed"
        assert one.now is not None
        assert "heron@127.0.0.1" in str(one.now.trouble)
    server.start()
    for one in pair:
        until(lambda one=one: one.post(LAND.sheet(time=3))[0] in (200, 201))  # type: ignore[misc]
        until(lambda one=one: one.role() != WAITS)  # type: ignore[misc]
        assert sum("until the store is back" in line for line in one.lines) == 1
        assert sum("The store is back" in line for line in one.lines) == 1
    check_record(url, {sheet: receipt})


def test_a_history_that_was_put_back_ends_the_service(server: Server, url: str, files: ElectionFiles) -> None:
    one = One(url, files)
    one.receipt(LAND.sheet(time=1))
    one.receipt(LAND.sheet(time=2))
    server.sql(
        "ALTER TABLE scrutineer.head DISABLE TRIGGER append_only; DELETE FROM scrutineer.head WHERE size = 3;"
        "ALTER TABLE scrutineer.entry DISABLE TRIGGER append_only; DELETE FROM scrutineer.entry WHERE idx = 2;"
        "UPDATE scrutineer.tip SET size = 2, fence = fence + 1",
        url,
    )
    until(lambda: one.error is not None)
    assert isinstance(one.error, LogError)
    assert "replaced or reset" in str(one.error)


def test_what_cannot_be_opened_is_explained(server: Server, files: ElectionFiles) -> None:
    url = server.database()
    with pytest.raises(StoreError, match="no log in this database"):
        Group.open(url, log_signer())
    migrate(url)
    with pytest.raises(StoreError, match="store migrate"):
        Group.open(url, log_signer())
