"""A small election of birds with encrypted ballots, and the folder of a station with its voting machine."""

import http.client
import random
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ballot_helpers import SMALL
from ceremony_helpers import ceremony
from intake_helpers import AUTHORITIES, log_signer
from scrutineer.ballots.ceremony import KeyShare
from scrutineer.ballots.from_election import manifest_of
from scrutineer.ballots.group import Group
from scrutineer.ballots.keys import KeyRecord
from scrutineer.durable import write_whole
from scrutineer.election import Contest, Definition, Issuer, LogIdentity, Option, Party, Register, UnitRow, Units
from scrutineer.election.definition import table_hash, write_register, write_units
from scrutineer.statements import SigningKey, parse_statement, sign_statement
from scrutineer.station.folder import Settings, StationFolder
from scrutineer.station.outbox import Outbox
from scrutineer.station.voting.board_web import board_app
from scrutineer.station.voting.day import PollDay
from scrutineer.station.voting.machine import VotingMachine
from scrutineer.station.voting.people import Pair
from scrutineer.station.voting.place import Place
from voting_helpers import choices

STATION = "reed-1"
KEY = SigningKey(b"r" * 32)
WORKERS = {f"poll-worker/{name}": SigningKey(bytes((number,)) * 32) for number, name in enumerate(("finch", "lark", "tern"), 1)}
AGENTS = {f"agent/{name}": SigningKey(bytes((number,)) * 32) for number, name in enumerate(("coot", "rail"), 21)}
NAMES = {"finch": "Fenna Finch", "lark": "Lars Lark", "tern": "Tara Tern", "coot": "Cora Coot", "rail": "Ralf Rail"}
STRANGER = SigningKey(b"s" * 32)
TIME = 1_780_826_400  # 2026-06-07 10:00 UTC, election day
_BIRDS = (("wren", "Wren"), ("owl", "Owl"), ("heron", "Heron"))


@dataclass(frozen=True)
class Reeds:
    """The election, and what the trustees keep."""

    definition: bytes
    tables: dict[str, bytes]
    record: KeyRecord
    shares: list[KeyShare]

    def write(self, folder: Path) -> Path:
        """Definition and tables as they are published; the definition."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in {**self.tables, "definition.cose": self.definition}.items():
            (folder / name).write_bytes(data)
        return folder / "definition.cose"


@cache
def reeds(group: Group = SMALL, trustees: int = 3, date: str = "2026-06-07", write_ins: bool = False) -> Reeds:
    """Two stations, a contest with one choice, one with two, one ranked; three poll workers and two agents.

    With `write_ins` the third bird of both stands for names written in, and there is a party.
    """
    units = Units(
        [
            UnitRow("marsh", "", "Marshland", "country", None),
            UnitRow("reed", "marsh", "Reed district", "region", None),
            UnitRow(STATION, "reed", "Old boathouse", "station", 411),
            UnitRow("reed-2", "reed", "New boathouse", "station", 380),
        ]
    )
    options = tuple(Option(*bird) for bird in _BIRDS)
    other = options[2].id if write_ins else ""
    contests = (
        Contest("warden", "Warden of the marsh", "plurality", options, write_in=other),
        Contest("council", "Council of the reeds", "plurality", options, seats=2, max_choices=2, write_in=other),
        Contest("song", "Song of the year", "ranked", options[:2]),
    )
    parties = (Party("feather", "Feather List", ("council/wren", "council/owl", "warden/owl")),) if write_ins else ()
    people = [*WORKERS.items(), *AGENTS.items()]
    others = [Issuer("authority/0", "authority", AUTHORITIES[0].public_key)]
    for name, key in people:
        role, _, short = name.partition("/")
        others.append(Issuer(name, role, key.public_key, unit="reed", name=NAMES[short]))  # type: ignore[arg-type]
    register = Register(units.station_index, KEY.public_key + bytes(32), others)
    manifest = manifest_of("reeds", "Reeds", date, contests, units, parties)
    record, shares = ceremony(manifest, trustees, max(1, trustees - 1), group)
    tables = {"units.csv": write_units(units), "register.csv": write_register(register), "ballots.json": record.encode()}
    definition = Definition(
        version=1,
        id="reeds",
        name="Reeds",
        date=date,
        timezone="UTC",
        provenance="simulated",
        authority="Marsh commission",
        contests=contests,
        tables={name: table_hash(data) for name, data in tables.items()},
        log=LogIdentity("log.example/reeds", log_signer().verifier.vkeys),
        parties=parties,
    )
    return Reeds(sign_statement(definition, "authority/0", AUTHORITIES[0]), tables, record, shares)


def station_folder(folder: Path, land: Reeds | None = None) -> StationFolder:
    """The folder of a station with the files of its machine."""
    land = land or reeds()
    published = land.write(folder / "published")
    station = StationFolder.make(folder / "station", published, Settings(STATION))
    write_whole(station.key_path, pem(KEY), 0o600)
    voting = station.folder / "voting"
    voting.mkdir(mode=0o700)
    for name in ("register.csv", "ballots.json"):
        write_whole(voting / name, land.tables[name])
    write_whole(voting / "machine.json", b'{"device":"reed-1/1","styles":[1]}')
    return station


def pem(key: SigningKey, passphrase: str = "") -> bytes:
    """A private key as a file."""
    protection = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    private = ed25519.Ed25519PrivateKey.from_private_bytes(key.seed)
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


class Clock:
    """A clock that tests set."""

    def __init__(self, now: float = TIME) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def day(station: StationFolder, group: Group = SMALL, clock: Clock | None = None) -> PollDay:
    """The day of a machine, as it stands in the folder."""
    place = Place.load(station, group)
    machine = VotingMachine(place.folder, place.keys, place.name, place.machine.device, styles=place.machine.styles, window=2)
    return PollDay(place, machine, station.outbox(), clock or Clock())


def pair(of: PollDay, first: str = "finch", second: str = "lark") -> Pair:
    """Two poll workers with their keys."""
    return Pair(*(of.place.person(WORKERS[f"poll-worker/{name}"]) for name in (first, second)))


def vote(of: PollDay, chance: random.Random, provisional: bool = False) -> bytes:
    """One voter from activation to the box; the code."""
    machine = of.machine
    machine.activate(1, provisional)
    code = machine.prepare(choices(of.place.record.manifest, 1, chance)).code
    machine.cast()
    return code


def end(of: PollDay) -> None:
    """Let go of the files, as a program that ends."""
    of.machine.stop()
    of.outbox.close()


def kinds(outbox: Outbox) -> list[str]:
    """The kinds of the statements in an outbox, in their order."""
    return [parse_statement(entry.statement).kind for entry in outbox.entries()]


class Reply(NamedTuple):
    """What a page answered, after redirects."""

    status: int
    text: str
    headers: Message
    body: bytes


class Desk:
    """The board of a day on a port of this machine, and a visitor who keeps its cookies."""

    def __init__(self, of: PollDay, code: str = "babab-babab-babab-babab") -> None:
        self.day, self.code = of, code
        listening = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.cookies: dict[str, str] = {}
        config = uvicorn.Config(board_app(of, self.origin, code), log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the server; the day's files stay open."""
        self._server.should_exit = True
        self._thread.join(10)

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None, follow: bool = True) -> Reply:
        """Look at a page."""
        return self._ask("GET", path, b"", headers or {}, follow)

    def post(
        self, path: str, fields: Mapping[str, str | bytes], headers: Mapping[str, str] | None = None, kind: str = ""
    ) -> Reply:
        """Send a form as a browser does: as files where there are bytes."""
        if kind:
            body = bytes(fields["body"]) if isinstance(fields["body"], bytes) else b""
        elif any(isinstance(value, bytes) for value in fields.values()):
            kind = "multipart/form-data; boundary=reeds"
            parts = [
                f'--reeds\r\nContent-Disposition: form-data; name="{name}"'.encode()
                + (b'; filename="key.pem"\r\nContent-Type: application/octet-stream' if isinstance(value, bytes) else b"")
                + b"\r\n\r\n"
                + (value if isinstance(value, bytes) else value.encode())
                + b"\r\n"
                for name, value in fields.items()
            ]
            body = b"".join(parts) + b"--reeds--\r\n"
        else:
            kind, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        return self._ask("POST", path, body, {"content-type": kind, "origin": self.origin, **(headers or {})}, True)

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str], follow: bool) -> Reply:
        given = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        connection = http.client.HTTPConnection(self.origin.partition("://")[2], timeout=30)
        try:
            connection.request(method, path, body or None, given)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if follow and answer.status == 303:
            return self._ask("GET", answer.headers["location"], b"", {}, follow)
        return Reply(answer.status, data.decode(errors="replace"), answer.headers, data)
