"""A station's folder: what is copied into it, what it trusts, and what it refuses."""

import stat
from pathlib import Path

import msgspec
import pytest

from intake_helpers import AUTHORITIES, Republic, republic
from scrutineer.election.transmission import Transmission
from scrutineer.errors import DefinitionError, StatementError, UsageError
from scrutineer.intake.lanes import Trust
from scrutineer.statements import sign_statement
from scrutineer.station.folder import Settings, StationFolder
from scrutineer.station.ways import Way
from station_helpers import VERIFIER, certificates

LAND: Republic = republic()


def definition(folder: Path, land: Republic = LAND) -> Path:
    folder.mkdir()
    return land.write(folder).definition


def test_what_is_made_is_read_again(tmp_path: Path) -> None:
    settings = Settings("n1", ("https://near.example:8000",), ("http://relay.example",))
    made = StationFolder.make(tmp_path / "a" / "station", definition(tmp_path / "given"), settings)
    assert made == StationFolder.load(tmp_path / "a" / "station")
    assert made.settings == settings
    assert made.verifier == VERIFIER
    assert made.election_hash == LAND.election.hash
    assert made.ways == [Way("intake", "https://near.example:8000"), Way("relay", "http://relay.example")]
    assert made.trust == Trust()
    election = made.election()
    assert (election.hash, list(election.units.station_index)) == (LAND.election.hash, LAND.stations)
    assert not election.register.station_key(0)
    outbox = made.outbox()
    assert outbox.tally().all == 0
    outbox.close()


def test_the_elections_ways_come_behind_nearer_ones(tmp_path: Path) -> None:
    named = Transmission(("https://a.example", "https://b.example"), ("https://r.example",), ("relay", "intake", "paper"))
    payload = msgspec.structs.replace(LAND.election.definition, transmission=named)
    path = definition(tmp_path / "given")
    path.write_bytes(sign_statement(payload, "authority/0", AUTHORITIES[0]))
    made = StationFolder.make(tmp_path / "station", path, Settings("n1", ("https://near.example",)))
    assert [str(way) for way in made.ways] == [
        "relay https://r.example",
        "intake service https://near.example",
        "intake service https://a.example",
        "intake service https://b.example",
    ]


def test_certificates_are_copied_and_the_clients_key_kept_from_others(tmp_path: Path) -> None:
    given = certificates(tmp_path)
    trust = Trust(given.authority, given.client, given.client_key)
    made = StationFolder.make(tmp_path / "station", definition(tmp_path / "given"), Settings(), trust)
    assert made.trust == Trust(tmp_path / "station" / "authority.pem", tmp_path / "station" / "client.pem")
    assert stat.S_IMODE((tmp_path / "station" / "client.pem").stat().st_mode) == 0o600
    made.trust.context()
    bad = tmp_path / "bad.pem"
    bad.write_text("a heron")
    with pytest.raises(UsageError, match="TLS cannot be set up"):
        StationFolder.make(tmp_path / "other", tmp_path / "given" / "definition.cose", Settings(), Trust(bad))
    assert not (tmp_path / "other").exists()


def test_places_are_those_of_the_definition(tmp_path: Path) -> None:
    path = definition(tmp_path / "given")
    units = path.with_name("units.csv")
    table = units.read_bytes()
    units.write_bytes(table + b"\n")
    with pytest.raises(UsageError, match="not the table"):
        StationFolder.make(tmp_path / "station", path, Settings())
    units.unlink()
    made = StationFolder.make(tmp_path / "station", path, Settings())
    with pytest.raises(UsageError, match="is missing"):
        made.election()
    (tmp_path / "station" / "units.csv").write_bytes(table + b"\n")
    with pytest.raises(UsageError, match="not the table"):
        made.election()
    (tmp_path / "station" / "units.csv").write_bytes(table)
    assert made.election().units.station_index


def test_definitions_that_are_none(tmp_path: Path) -> None:
    path = definition(tmp_path / "given")
    path.write_bytes(LAND.sheet())
    with pytest.raises(UsageError, match="is a tally-sheet"):
        StationFolder.make(tmp_path / "station", path, Settings())
    path.write_bytes(b"")
    with pytest.raises(StatementError, match=r"definition\.cose"):
        StationFolder.make(tmp_path / "station", path, Settings())
    with pytest.raises(UsageError, match="cannot be read"):
        StationFolder.make(tmp_path / "station", tmp_path / "missing.cose", Settings())


@pytest.mark.parametrize("station", ["", "n1", 'with "quotes" and \\', "Zürich-1", "тест"])
def test_settings_are_read_as_written(tmp_path: Path, station: str) -> None:
    settings = Settings(station, ("http://a.example", "https://b.example/x"), ())
    (tmp_path / "station.toml").write_text(settings.encode(), encoding="utf-8")
    assert Settings.read(tmp_path / "station.toml") == settings


@pytest.mark.parametrize(
    "text", ["heron = 1", "station = 1", "endpoints = 'x'", "relays = [1]", "endpoints = ['x']", "[station]", "=", "#" * 70_000]
)
def test_settings_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "station.toml").write_text(text)
    with pytest.raises(UsageError, match=r"station\.toml"):
        Settings.read(tmp_path / "station.toml")


def test_one_sender_at_a_time(tmp_path: Path) -> None:
    made = StationFolder.make(tmp_path / "station", definition(tmp_path / "given"), Settings())
    with made.sending(), pytest.raises(UsageError, match="another program is sending"), made.sending():
        pass
    with made.sending():
        pass


def test_addresses_are_checked() -> None:
    with pytest.raises((UsageError, DefinitionError), match="address"):
        Settings("n1", ("ftp://heron",))
