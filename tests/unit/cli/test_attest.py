"""`attest`: agents and observers sign their own copies of sheets, and pages show them beside the stations' own."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from cli_helpers import FIGURES, HEADER, STATIONS, call, refused, rows, serving, signed
from scrutineer.cli.keyring import load_key, make_key
from scrutineer.cli.statement_files import read_statements
from scrutineer.statements import Attestation, parse_statement

OTHER = (99, 51, 30, 20, 3, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An opened election whose register has an agent of the north and an observer of the whole country."""
    folder = tmp_path / "birds"
    call("new", folder)
    lines = ["issuer,unit,algorithm,key,name"]
    for issuer, unit in (("agent/heron-1", "north"), ("observer/owl", "")):
        key = make_key(tmp_path / f"{issuer.rpartition('/')[2]}.pem")
        lines.append(f"{issuer},{unit},ed25519,{key.public_key.hex()},Somebody")
    (folder / "register.csv").write_text("\n".join(lines) + "\n")
    call("open", folder)
    return folder


def table(folder: Path, *parts: str) -> Path:
    path = folder.parent / "copies.csv"
    path.write_text(HEADER + "".join(parts))
    return path


def attest(folder: Path, name: str, path: Path, *options: object, to: str = "copies.bundle") -> list[Attestation]:
    target = folder.parent / to
    call("attest", path, "--key", folder.parent / f"{name}.pem", "--to", target, "--record", folder / "record", *options)
    payloads = [parse_statement(statement).payload for statement in read_statements(target)]
    assert all(isinstance(payload, Attestation) for payload in payloads)
    return [payload for payload in payloads if isinstance(payload, Attestation)]


def test_copies_stand_beside_the_sheets_and_change_no_total(folder: Path) -> None:
    sheets = signed(folder, rows())
    photo = folder.parent / "photo.png"
    photo.write_bytes(b"a photograph")
    made = attest(folder, "owl", table(folder, rows(STATIONS[:1]), rows(STATIONS[1:2], OTHER)))
    assert [(one.station, one.counts, one.image) for one in made] == [
        (STATIONS[0], FIGURES[:4], None),
        (STATIONS[1], OTHER[:4], None),
    ]
    (own,) = attest(folder, "heron-1", table(folder, rows(STATIONS[:1])), "--image", photo, to="agent.bundle")
    assert own.image == hashlib.sha256(b"a photograph").digest()
    with serving(folder) as service:
        for file in (sheets, folder.parent / "copies.bundle", folder.parent / "agent.bundle"):
            done = call("submit", file, "--to", service.address, "--definition", folder / "record/definition.cose", "--json").json
            assert (done["refused"], done["registered"]) == ([], 6 if file == sheets else 2 if "copies" in file.name else 1)
    site = folder.parent / "site"
    call("publish", folder, "--to", site)
    summary = json.loads((site / "data/summary.json").read_text())
    assert summary["contests"][0]["counted"] == len(STATIONS)
    assert sum(summary["contests"][0]["votes"].values()) == sum(FIGURES[:4]) * len(STATIONS)
    agreed, differing = ((site / f"stations/north/{station}.html").read_text() for station in STATIONS[:2])
    assert "2 copies agree with the sheet." in agreed
    assert "1 copy differs from the sheet." in differing


def test_figures_that_were_not_copied_are_unknown(folder: Path) -> None:
    path = folder.parent / "short.csv"
    path.write_text(
        "station,contest,votes:heron,votes:kingfisher,votes:owl-forest,votes:owl-meadow\nnorth-1,president,100,,30,20\n"
    )
    (made,) = attest(folder, "owl", path)
    assert made.counts == (100, None, 30, 20)
    assert (made.blank, made.null, made.cast, made.voters, made.roll, made.time) == (None,) * 6


def test_what_cannot_be_attested(folder: Path) -> None:
    photo = folder.parent / "photo.png"
    photo.write_bytes(b"a photograph")
    to = ("--to", folder.parent / "x.bundle", "--record", folder / "record")
    heron, owl = (("--key", folder.parent / f"{name}.pem") for name in ("heron-1", "owl"))
    make_key(folder.parent / "stranger.pem")
    one, two = rows(STATIONS[:1]), rows(STATIONS[:1], OTHER)
    assert "two rows for the same station" in refused("attest", table(folder, one, two), *owl, *to, code=2)
    assert "a photograph is of one" in refused("attest", table(folder, rows(STATIONS[:2])), *owl, *to, "--image", photo, code=2)
    stranger = ("--key", folder.parent / "stranger.pem")
    assert "no agent's or observer's" in refused("attest", table(folder, one), *stranger, *to, code=2)
    assert "south-1" in refused("attest", table(folder, rows(["south-1"])), *heron, *to)
    assert "pass --record DIR" in refused("attest", table(folder, one), *owl, *to[:2], code=2)
    assert "cannot attest" in refused("attest", table(folder, one), *owl, *to, "--as", "station/north-1", code=2)
    assert not (folder.parent / "x.bundle").exists()


def test_somebody_who_was_accredited_later_says_who_they_are(folder: Path) -> None:
    key = make_key(folder.parent / "wren.pem")
    public = folder.parent / "wren.pub"
    public.write_bytes(
        ed25519.Ed25519PublicKey.from_public_bytes(key.public_key).public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    call("accredit", folder, "observer/wren", "--key", public)
    path, target = table(folder, rows(STATIONS[:1])), folder.parent / "wren.bundle"
    said = call(
        "attest",
        path,
        "--key",
        folder.parent / "wren.pem",
        "--to",
        target,
        "--record",
        folder / "record",
        "--as",
        "observer/wren",
    ).out
    assert "Not checked: whether observer/wren may say this" in said
    assert load_key(folder.parent / "wren.pem").public_key == key.public_key
    with serving(folder) as service:
        definition = folder / "record/definition.cose"
        done = call("submit", target, "--to", service.address, "--definition", definition, "--json").json
    assert (done["registered"], done["refused"]) == (1, [])
