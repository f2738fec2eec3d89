"""`station` on the command line, against the real service: from the table to the receipt, and what is said on the way."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from cli_helpers import FIGURES, HEADER, Service, call, opened, refused, rows, run, serving
from scrutineer.cli.office import Office
from scrutineer.http.problems import Problem
from scrutineer.log import LogVerifier, verify_entry_receipt
from scrutineer.statements import parse_statement
from scrutineer.station.bundle import Bundle, read_bundle, write_bundle
from scrutineer.station.outbox import Outbox
from station_helpers import answer, misbehaving, unused_url


class World(NamedTuple):
    election: Path
    definition: Path
    service: Service


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = opened(tmp_path_factory.mktemp("station") / "election")
    with serving(folder) as service:
        yield World(folder, folder / "record" / "definition.cose", service)


def key_of(world: World, station: str, path: Path) -> Path:
    """The private key of a station, in a file."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(Office.load(world.election).key_of(f"station/{station}").seed)
    encoding = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


def made(world: World, folder: Path, station: str, *endpoints: str) -> Path:
    """The folder of a station whose key the register knows."""
    options = [word for url in endpoints for word in ("--endpoint", url)]
    key = key_of(world, station, folder.with_suffix(".pem"))
    said = call("station", "init", folder, "--definition", world.definition, "--key", key, "--station", station, *options).out
    assert f"The register knows this key as that of {station}." in said
    return folder


def table(path: Path, station: str, **changes: int) -> Path:
    path.write_text(HEADER + rows([station], **changes))
    return path


def test_from_the_table_to_the_receipt(world: World, tmp_path: Path) -> None:
    nobody = unused_url()
    station = made(world, tmp_path / "north-1", "north-1", nobody)
    assert "Nothing has been queued yet." in call("station", "status", station).out
    said = call("station", "sheet", station, table(tmp_path / "sheet.csv", "north-1")).out
    assert "Signed and queued 1 tally sheet." in said
    (printed,) = (station / "printed").glob("*.html")
    assert str(printed) in said
    page = printed.read_text()
    assert "<svg" in page
    assert all(f">{votes}<" in page for votes in FIGURES)

    waits = call("station", "status", station, code=1).out
    assert "1 waits" in waits
    assert "Nothing has been tried yet" in waits
    first = call("station", "send", station, "--once", code=1)
    assert "does not answer" in first.err
    status = call("station", "status", station, code=1).out
    (line,) = (line for line in status.splitlines() if line.startswith("Nothing can be reached"))
    assert nobody in line
    assert "next attempt" in line
    assert f"scrutineer station bundle {station}" in status

    # The address of the service is added to the folder, and what waits goes there at once.
    settings = station / "station.toml"
    settings.write_text(settings.read_text().replace(f'"{nobody}"', f'"{nobody}", "{world.service.address}"'))
    sent = call("station", "send", station, "--now")
    assert "The statement is in the log; every receipt was checked." in sent.out
    shown = call("station", "status", station, "--json").json
    (entry,) = shown["statements"]
    assert (shown["receipted"], shown["waiting"], entry["state"]) == (1, 0, "receipted")
    assert entry["what"] == "tally sheet of north-1, president"
    assert shown["ways"][0] == shown["ways"][0] | {"url": world.service.address, "outcome": "done"}
    assert "in the log as number" in call("station", "status", station).out

    outbox = Outbox.open(station / "outbox.sqlite")
    (kept,) = outbox.entries()
    assert kept.receipt is not None
    verifier = LogVerifier.from_vkeys(*Office.load(world.election).election.definition.log.keys)
    assert verify_entry_receipt(kept.receipt, kept.statement, verifier).index == entry["index"]
    # The same command again signs nothing new; another sheet for the same contest has to be meant.
    assert "(1 had been queued before)" in call("station", "sheet", station, tmp_path / "sheet.csv").out
    other = table(tmp_path / "other.csv", "north-1", voters=206)
    assert "--second" in refused("station", "sheet", station, other, code=2)
    assert "Signed and queued 1" in call("station", "sheet", station, other, "--second").out


def test_several_ways_count_once(world: World, tmp_path: Path) -> None:
    """Straight, by a bundle file, through another office: one entry, the same receipt."""
    station = made(world, tmp_path / "north-2", "north-2", world.service.address)
    call("station", "sheet", station, table(tmp_path / "sheet.csv", "north-2"))
    bundle = tmp_path / "carried.bundle"
    assert "carried.bundle: 1 statement." in call("station", "bundle", station, "--to", bundle).out
    office = tmp_path / "office"
    call("station", "init", office, "--definition", world.definition, "--endpoint", world.service.address)
    assert "Queued 1 statement." in call("station", "queue", office, bundle).out
    assert "Queued 0 statements; 1 were there already." in call("station", "queue", office, bundle).out
    call("station", "send", office)
    assert (
        call("submit", bundle, "--to", world.service.address, "--definition", world.definition, "--json").json["registered"] == 1
    )
    receipts = tmp_path / "carried.bundle.receipts"
    back = call("station", "receipts", station, receipts, "--json").json
    assert back == {"accepted": 1, "known": 0, "strange": 0, "false": []}
    assert "1 had been here already" in call("station", "receipts", station, receipts).out
    call("station", "send", station)
    indices = [call("station", "status", folder, "--json").json["statements"][0]["index"] for folder in (station, office)]
    assert indices[0] == indices[1]
    entries = list(Office.load(world.election).read_log().entries())
    (statement,) = read_bundle(bundle).entries
    assert entries.count(statement) == 1
    assert "Nothing waits." in call("station", "bundle", station, "--to", tmp_path / "none.bundle").out


def test_receipts_of_another_kind(world: World, tmp_path: Path) -> None:
    station = made(world, tmp_path / "south-1", "south-1")
    call("station", "sheet", station, table(tmp_path / "sheet.csv", "south-1"))
    bundle = tmp_path / "s.bundle"
    call("station", "bundle", station, "--to", bundle)
    assert "exists already" in refused("station", "bundle", station, "--to", bundle, code=2)
    assert "holds statements" in refused("station", "receipts", station, bundle, code=2)
    (name,) = read_bundle(bundle).names
    false = tmp_path / "false.receipts"
    write_bundle(false, Bundle.of_receipts(read_bundle(bundle).election, [(name, b"\xd2\x84" + b"x" * 99), (b"s" * 32, b"x")]))
    done = call("station", "receipts", station, false, code=1).out
    assert f"FALSE: the receipt for {name.hex()[:16]}" in done
    assert "Left out 1 receipt" in done
    assert "holds receipts" in refused("station", "queue", station, false, code=2)
    foreign = tmp_path / "foreign.receipts"
    write_bundle(foreign, Bundle.of_receipts(b"f" * 32, [(name, b"x")]))
    assert "another election" in refused("station", "receipts", station, foreign, code=2)


def test_a_key_that_nobody_enrolled(world: World, tmp_path: Path) -> None:
    station = tmp_path / "south-2"
    options = ("--definition", world.definition, "--station", "south-2", "--endpoint", world.service.address)
    said = call("station", "init", station, *options).out
    assert "CAUTION: the register gives south-2 another key" in said
    assert stat.S_IMODE((station / "station.pem").stat().st_mode) == 0o600
    call("station", "sheet", station, table(tmp_path / "sheet.csv", "south-2"))
    (statement,) = (waiting.statement for waiting in Outbox.open(station / "outbox.sqlite").waiting())
    assert parse_statement(statement).issuer == "station/south-2"
    sent = call("station", "send", station, code=1)
    plain = " ".join(sent.out.replace("│", " ").split())
    assert "1 was refused" in plain
    assert "ask the centre to enrol" in plain
    shown = call("station", "status", station, "--json", code=1).json
    refusal = shown["statements"][0]["refusal"]
    assert refusal["code"] == "unknown-key"
    assert f"scrutineer station send {station} --again" in refusal["advice"]
    # It is not sent again by itself, and is when somebody says so.
    assert call("station", "send", station, "--json", code=1).json["refused"] == 1
    assert call("station", "send", station, "--again", "--json", code=1).json["refused"] == 1


def test_a_service_that_lies_is_named(world: World, tmp_path: Path) -> None:
    with misbehaving(lambda _, __: answer("201 Created", b"not a receipt")) as liar:
        station = made(world, tmp_path / "south-3", "south-3", liar.url)
        call("station", "sheet", station, table(tmp_path / "sheet.csv", "south-3"))
        sent = call("station", "send", station, "--once", code=1)
        assert f"{liar.url} gave a receipt that proves nothing" in sent.err
        status = call("station", "status", station, code=1).out
        assert "Do not rely on it, and tell the centre; it is avoided" in status
        (evidence,) = (station / "evidence").glob("*.json")
        assert json.loads(evidence.read_bytes())["address"] == liar.url
        assert (evidence.with_suffix(".receipt")).read_bytes() == b"not a receipt"


def test_refusals_in_one_line(world: World, tmp_path: Path) -> None:
    definition = ("--definition", world.definition)
    assert "not a station's folder" in refused("station", "status", tmp_path, code=2)
    units = world.election / "record" / "units.csv"
    assert "not" in refused("station", "init", tmp_path / "a", "--definition", units)
    assert "address" in refused("station", "init", tmp_path / "a", *definition, "--endpoint", "ftp://heron", code=2)
    station = made(world, tmp_path / "north-3", "north-3")
    assert "folder already" in refused("station", "init", station, *definition, code=2)
    sheet = table(tmp_path / "sheet.csv", "north-1")
    assert "each station signs its own sheets" in refused("station", "sheet", station, sheet, code=2)
    (tmp_path / "twice.csv").write_text(HEADER + rows(["north-3", "north-3"]))
    assert "two rows" in refused("station", "sheet", station, tmp_path / "twice.csv", code=2)
    call("station", "sheet", station, table(tmp_path / "sheet.csv", "north-3"))
    assert "no way over a network is known" in refused("station", "send", station, code=2)
    (station / "units.csv").rename(tmp_path / "units.csv")
    assert "units.csv" in refused("station", "sheet", station, sheet, code=2)
    for text in ("station = 3", "heron = 1", "=", 'endpoints = "x"', 'endpoints = ["x"]'):
        (station / "station.toml").write_text(text)
        assert "station" in refused("station", "status", station, code=2)
    (station / "definition.cose").write_bytes(b"\xd2\x84")
    assert "definition.cose" in refused("station", "status", station)


def test_an_interrupted_init_is_completed_with_the_same_key(world: World, tmp_path: Path) -> None:
    station = tmp_path / "half"
    options = ("--definition", world.definition)
    first = call("station", "init", station, *options).out
    (station / "definition.cose").unlink()
    assert call("station", "init", station, *options).out == first
    # Another key than the one that is there is not put in its place.
    (station / "definition.cose").unlink()
    other = key_of(world, "north-1", tmp_path / "other.pem")
    assert "another key" in refused("station", "init", station, *options, "--key", other, code=2)
    assert call("station", "init", station, *options).out == first


def test_in_a_process_of_its_own(world: World, tmp_path: Path) -> None:
    station = tmp_path / "office"
    run("station", "init", station, "--definition", world.definition, "--relay", unused_url())
    assert run("station", "send", station).out.strip() == "Nothing has been queued yet."
    assert os.access(station / "outbox.sqlite", os.W_OK)


def test_a_table_of_blank_lines_is_no_table(world: World, tmp_path: Path) -> None:
    station = tmp_path / "office"
    call("station", "init", station, "--definition", world.definition)
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER + "\n\n")
    assert "no row below its header" in refused("station", "sheet", station, empty, code=2)


def test_what_one_service_refused_is_offered_to_the_next_by_a_later_send(world: World, tmp_path: Path) -> None:
    body = Problem("unknown-key", "we do not know you").encode()
    with misbehaving(lambda _, __: answer("400 No", body)) as refuser:
        station = made(world, tmp_path / "refused-first", "south-2", refuser.url)
        assert "Signed and queued" in call("station", "sheet", station, table(tmp_path / "sheet.csv", "south-2")).out
        assert "1 was refused" in run("station", "send", station, code=1).out
        settings = station / "station.toml"
        settings.write_text(settings.read_text().replace(refuser.url, f'{refuser.url}", "{world.service.address}'))
        assert "The statement is in the log" in call("station", "send", station).out


def test_nobody_else_can_sign_for_a_station_that_brought_its_key(tmp_path: Path) -> None:
    """Where register.csv names a station's key, with or without its unit, opening makes no second one for it."""
    folder, own = tmp_path / "election", ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    call("new", folder)
    (folder / "register.csv").write_text(
        f"issuer,unit,algorithm,key,name\nstation/north-1,,ed25519,{own.hex()},\nstation/north-2,north-2,ed25519,{bytes(32)[1:].hex()}11,\n"
    )
    call("open", folder)
    register = Office.load(folder).election.register
    assert [issuer.key for issuer in register.find("station/north-1")] == [own]
    assert [issuer.key for issuer in register.find("station/north-2")] == [bytes(31) + b"\x11"]
    assert len(register.find("station/north-3")) == 1
    sheets = tmp_path / "sheets.csv"
    sheets.write_text(HEADER + rows(["north-1"]))
    assert "has a key of its own, which is not here" in refused(
        "sign", folder, sheets, "--to", tmp_path / "sheets.bundle", code=2
    )
