"""The service over real sockets: SCRAPI answers, HTTP in good and bad order, refusals, start and stop."""

import base64
import http.client
import re
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cbor2
import pytest

from intake_helpers import AUTHORITIES, Republic, opened_log, republic
from scrutineer.errors import DefinitionError, LogError, UsageError
from scrutineer.http.problems import MEDIA_TYPE, read_problem
from scrutineer.intake import Address, ElectionFiles, Service, running
from scrutineer.log import Log, verify_entry_receipt
from scrutineer.statements import Accreditation, SigningKey, statement_hash

LAND = republic()


class Running:
    """The service in a thread, its log, and a client's connection."""

    def __init__(self, address: Address, log: Log) -> None:
        self.address = address
        self.log = log

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.host, self.address.port, timeout=20)

    def request(
        self, method: str, path: str, body: bytes | None = None, media: str = "application/cose"
    ) -> tuple[int, dict[str, str], bytes]:
        with closing(self.connect()) as connection:
            connection.request(method, path, body, {"content-type": media} if body is not None else {})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def raw(self, data: bytes, *, end: bool = True) -> bytes:
        """Send bytes as they are; everything that comes back until the service closes."""
        with socket.create_connection((self.address.host, self.address.port), timeout=20) as connection:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("intake")
    files = LAND.write(folder)
    with opened_log(folder, LAND.definition) as (log, store), running(log, files, housekeeping=store.checkpoint_wal) as address:
        yield Running(address, log)


def post(sheet: bytes, *more: bytes) -> bytes:
    fields = b"".join(b"%b\r\n" % field for field in more)
    head = b"POST /entries HTTP/1.1\r\nHost: here\r\nContent-Type: application/cose\r\nContent-Length: %d\r\n" % len(sheet)
    return head + fields + b"\r\n" + sheet


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", received)]


def refusal(service: Running, *request: object) -> tuple[int, str]:
    status, fields, body = service.request(*request)  # type: ignore[arg-type]
    assert fields["content-type"] == MEDIA_TYPE
    problem = read_problem(body)
    assert problem is not None
    assert problem.status == status
    return status, problem.code


def test_registers_and_answers_the_same_again(service: Running) -> None:
    sheet = LAND.sheet(time=1)
    status, fields, receipt = service.request("POST", "/entries", sheet)
    assert status == 201
    assert fields["content-type"] == "application/cose"
    assert fields["date"].endswith("GMT")
    content = verify_entry_receipt(receipt, sheet, service.log.verifier)
    assert service.log.entry(content.index) == sheet
    name = statement_hash(sheet).hex()
    assert fields["location"] == f"/entries/{name}"
    assert service.request("POST", "/entries", sheet)[::2] == (200, receipt)
    for path in (fields["location"], f"/entries/{content.index}", f"/entries/{name}?x=1"):
        status, fields, again = service.request("GET", path)
        assert (status, again) == (200, receipt)
        assert "immutable" in fields["cache-control"]
    status, fields, nothing = service.request("HEAD", f"/entries/{name}")
    assert (status, nothing, fields["content-length"]) == (200, b"", str(len(receipt)))


def test_a_contradicting_sheet_is_recorded_beside_the_first(service: Running) -> None:
    first, second = LAND.sheet("s1", time=2), LAND.sheet("s1", time=2, counts=(1, 1, 1))
    assert service.request("POST", "/entries", first)[0] == 201
    assert service.request("POST", "/entries", second)[0] == 201


def test_refusals_by_policy(service: Running) -> None:
    good = LAND.sheet(time=3)
    size = service.log.size
    assert refusal(service, "POST", "/entries", b"") == (400, "malformed")
    assert refusal(service, "POST", "/entries", good[:-1] + bytes([good[-1] ^ 1])) == (400, "bad-signature")
    assert refusal(service, "POST", "/entries", LAND.sheet(counts=(1,))) == (400, "wrong-shape")
    assert refusal(service, "POST", "/entries", b"\xd2" * 65_536) == (413, "too-large")
    assert refusal(service, "POST", "/entries", b"\xd2" * 65_535) == (400, "malformed")
    assert service.log.size == size
    # The definition is in the log already; sent again, it gets its receipt like anything else.
    assert service.request("POST", "/entries", LAND.definition)[0] == 200


def test_accreditation_takes_effect_before_it_is_answered(service: Running) -> None:
    owl = SigningKey(b"o" * 32)
    sheet = LAND.sign(LAND.sheet_of("s2"), "station/s2", owl)
    assert refusal(service, "POST", "/entries", sheet) == (400, "unknown-key")
    act = Accreditation(election=LAND.election.hash, action="admit", issuer="station/s2", role="station", key=owl.public_key)
    assert service.request("POST", "/entries", LAND.sign(act, "authority/0", AUTHORITIES[0]))[0] == 201
    assert service.request("POST", "/entries", sheet)[0] == 201


def test_refusals_by_http(service: Running) -> None:
    sheet = LAND.sheet(time=4)
    assert refusal(service, "POST", "/entries", sheet, "application/cbor") == (415, "media-type")
    assert refusal(service, "GET", "/entries") == (405, "method-not-allowed")
    assert refusal(service, "DELETE", "/entries/0") == (405, "method-not-allowed")
    assert service.request("PUT", "/entries", b"")[1]["allow"] == "POST"
    for path in (
        "/",
        "/entries/",
        "/entries/zz",
        "/entries/99999",
        "/entries/" + "0" * 64,
        "/entries/-1",
        "/x",
        "/.well-known/other",
    ):
        assert refusal(service, "GET", path) == (404, "not-found")
    assert service.request("POST", "/entries", sheet, 'Application/COSE; cose-type="cose-sign1"')[0] == 201


def test_keys(service: Running) -> None:
    status, fields, body = service.request("GET", "/.well-known/scitt-keys")
    (key,) = cbor2.loads(body)
    assert (status, fields["content-type"]) == (200, "application/cbor")
    verifier = service.log.verifier
    assert key == {1: 1, 2: verifier.kid, 3: -8, -1: 6, -2: verifier.ed25519_public_key}
    kid = base64.urlsafe_b64encode(verifier.kid).rstrip(b"=").decode()
    assert cbor2.loads(service.request("GET", f"/.well-known/scitt-keys/{kid}")[2]) == key
    assert refusal(service, "GET", "/.well-known/scitt-keys/AAAA") == (404, "no-such-key")


def test_pipelined_requests_are_answered_in_order(service: Running) -> None:
    requests, expected = [], []
    for number in range(100):
        sheet = LAND.sheet("n2", time=100 + number)
        if number % 3 == 1:
            sheet = sheet[:-1] + bytes([sheet[-1] ^ 1])
        requests.append(post(sheet) if number % 3 < 2 else b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n")
        expected.append((201, 400, 404)[number % 3])
    assert statuses(service.raw(b"".join(requests))) == expected


def test_a_request_may_come_in_pieces(service: Running) -> None:
    data = post(LAND.sheet(time=5))
    with socket.create_connection((service.address.host, service.address.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), 7):
            connection.sendall(data[at : at + 7])
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 Created")


def test_chunked_bodies_and_expect(service: Running) -> None:
    sheet = LAND.sheet(time=6)
    head = b"POST /entries HTTP/1.1\r\nHost: here\r\nContent-Type: application/cose\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (sheet[:10], sheet[10:100], sheet[100:])) + b"0\r\n\r\n"
    assert statuses(service.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)) == [201]
    assert statuses(service.raw(post(LAND.sheet(time=7), b"Expect: 100-continue"))) == [100, 201]


def test_too_long_bodies(service: Running) -> None:
    head = b"POST /entries HTTP/1.1\r\nHost: here\r\nContent-Type: application/cose\r\n"
    follower = post(LAND.sheet(time=8))
    assert statuses(service.raw(head + b"Content-Length: 70000\r\n\r\n" + bytes(70_000) + follower)) == [413, 201]
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    assert statuses(service.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40)) == [413]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /entries HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Bird: wren\r\n" * 2_000 + b"\r\n", 431),
    ],
)
def test_malformed_http(service: Running, data: bytes, status: int) -> None:
    received = service.raw(data, end=False)
    assert statuses(received) == [status]
    assert b"connection: close" in received
    problem = read_problem(received.partition(b"\r\n\r\n")[2])
    assert problem is not None
    assert problem.status == status


def test_old_clients_and_closing_ones(service: Running) -> None:
    assert statuses(service.raw(b"GET / HTTP/1.0\r\n\r\n", end=False)) == [404]
    assert statuses(service.raw(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n", end=False)) == [
        404
    ]
    assert service.raw(b"") == b""
    assert service.raw(b"POST /entries HTTP/1.1\r\nHost: a\r\nContent-Le") == b""


def test_a_full_queue_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    files = LAND.write(tmp_path)
    with opened_log(tmp_path, LAND.definition) as (log, _):
        server = Service(log, files, queue_limit=2)
        with serving(server) as address:
            sheets = [LAND.sheet(time=number) for number in range(30)]
            received = Running(address, log).raw(b"".join(post(sheet) for sheet in sheets))
            codes = statuses(received)
            assert set(codes) == {201, 503}
            assert b"retry-after: 1" in received
            assert b"queue-full" in received
            assert log.size == 1 + codes.count(201)
            for sheet, code in zip(sheets, codes, strict=True):
                assert (log.find(statement_hash(sheet)) is not None) == (code == 201)


def test_port_in_use_is_a_usage_error(service: Running, tmp_path: Path) -> None:
    files = LAND.write(tmp_path)
    with opened_log(tmp_path, LAND.definition) as (log, _):
        port = service.address.port
        with pytest.raises(UsageError, match=f"port {port} .* in use"):
            Service(log, files, port=port).run()
        with pytest.raises(UsageError, match="cannot listen"):
            Service(log, files, host="203.0.113.7").run()


def test_wrong_log_and_wrong_files(tmp_path: Path) -> None:
    other: Republic = republic(6)
    files = LAND.write(tmp_path)
    with opened_log(tmp_path, other.definition) as (log, _):
        with pytest.raises(LogError, match="not this definition"), running(log, files):
            pass
        missing = ElectionFiles(tmp_path / "none", files.units, files.register)
        with pytest.raises(DefinitionError), running(log, missing):
            pass


def test_stops_before_it_has_started(tmp_path: Path) -> None:
    with opened_log(tmp_path, LAND.definition) as (log, _):
        service = Service(log, LAND.write(tmp_path))
        service.stop()
        service.run()


def test_base_address() -> None:
    assert urllib.parse.urlsplit(Address("::1", 80).url).port == 80


class serving:  # noqa: N801
    """A service in a thread."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.ready = threading.Event()
        self.addresses: list[Address] = []
        service._ready = self.heard
        self.thread = threading.Thread(target=service.run)

    def heard(self, address: Address) -> None:
        self.addresses.append(address)
        self.ready.set()

    def __enter__(self) -> Address:
        self.thread.start()
        assert self.ready.wait(30)
        return self.addresses[0]

    def __exit__(self, *_: object) -> None:
        self.service.stop()
        self.thread.join()
