"""Keys admitted and revoked by signed acts, by officers on one machine and on several, with and without a running service."""

import base64
import csv
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from cli_helpers import FIGURES, HEADER, call, opened, refused, rows, run, serving, signed
from scrutineer.cli.keyring import load_key, make_key
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements, write_statements
from scrutineer.statements import Accreditation, TallySheet, parse_statement, sign_statement
from station_helpers import certificates

THRESHOLDS = "[thresholds]\naccreditation = 2\ndecision = 2\n"
OTHER_FIGURES = (1, 2, 3, 4, 5, 6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An opened election whose acts need one officer."""
    return opened(tmp_path / "birds")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """An opened election whose accreditations and decisions need two officers, both keys on this machine."""
    folder = tmp_path / "birds"
    call("new", folder)
    settings = folder / "election.toml"
    settings.write_text(settings.read_text().replace("[thresholds]\n", THRESHOLDS))
    call("open", folder)
    return folder


def apart(folder: Path) -> Path:
    """Take the second officer's key away to a machine of its own, with a copy of the record's public part."""
    away = folder.parent / "officer-2"
    (away / "record").mkdir(parents=True)
    shutil.move(folder / "keys/officer-2.pem", away / "officer-2.pem")
    for name in ("definition.cose", "units.csv", "register.csv"):
        shutil.copy(folder / "record" / name, away / "record")
    return away


def public_pem(folder: Path, name: str = "device") -> tuple[Path, Path]:
    """A new key: the private file, and the public one as openssl writes it."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    key = make_key(private)
    pem = ed25519.Ed25519PublicKey.from_public_bytes(key.public_key).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public.write_bytes(pem)
    return private, public


def by_device(folder: Path, private: Path, sheets: Path, name: str) -> Path:
    """The sheets of a file, signed again with the key of a new device."""
    target = folder.parent / f"{name}.bundle"
    key = load_key(private)
    parsed = [parse_statement(sheet) for sheet in read_statements(sheets)]
    write_statements(target, [sign_statement(sheet.payload, sheet.issuer, key) for sheet in parsed])
    return target


def stations(folder: Path) -> dict[str, tuple[str, str]]:
    """Status and rules of each station, as the published table has them."""
    site = folder.parent / "site"
    call("publish", folder, "--to", site)
    with (site / "data/president/stations.csv").open(encoding="utf-8", newline="") as file:
        return {row["station"]: (row["status"], row["rules"]) for row in csv.DictReader(file)}


def kinds(folder: Path) -> list[str]:
    """The kinds of the log's statements, without what a service reports of itself."""
    log = Office.load(folder).read_log()
    try:
        found = [parse_statement(entry).kind for entry in log.entries(0, log.size)]
        return [kind for kind in found if kind != "incident"]
    finally:
        log.close()


def test_a_key_is_revoked_and_replaced_while_a_service_runs(pair: Path, tmp_path: Path) -> None:
    definition = pair / "record/definition.cose"
    private, public = public_pem(tmp_path)
    before = signed(pair, rows(("north-1", "north-2")), "before")
    stolen = signed(pair, rows(("north-1", "south-1"), OTHER_FIGURES), "stolen")
    honest = by_device(pair, private, signed(pair, rows(("south-1",)), "honest"), "by-device")
    with serving(pair) as service:
        submit = ("--to", service.address, "--definition", definition)
        run("submit", before, *submit)
        assert "--to URL" in refused("revoke", pair, "north-1", "--reason", "Stolen.")
        for station in ("north-1", "south-1"):
            done = run("revoke", pair, station, "--reason", "The device was stolen.", "--to", service.address)
            assert f"of station/{station}." in done.out
            assert "Reason: The device was stolen." in done.out
            assert "Revocation recorded as entry " in done.out
        sent = run("submit", stolen, *submit, "--json").json
        assert sent == {"registered": 2, "refused": []}
        assert run("submit", honest, *submit, "--json", code=1).json["refused"][0]["code"] == "unknown-key"
        admitted = run("accredit", pair, "south-1", "--key", public, "--to", service.address)
        assert "Admits station/south-1 in the role station." in admitted.out
        assert run("submit", honest, *submit, "--json").json == {"registered": 1, "refused": []}

    found = stations(pair)
    assert found["north-1"] == ("counted", "key-revoked-later")
    assert found["north-2"] == ("counted", "")
    assert found["south-1"] == ("counted", "")
    assert found["north-3"] == ("outstanding", "")
    votes = call("count", pair, "--json").json["contests"][0]["votes"]
    assert list(votes.values()) == [3 * figure for figure in FIGURES[:4]]
    assert kinds(pair).count("endorsement") >= 3
    assert "PASS" in call("verify", tmp_path / "site").out


def test_what_comes_after_the_revocation_is_held_back(folder: Path, tmp_path: Path) -> None:
    call("revoke", folder, "station/north-1", "--reason", "Lost.")
    with serving(folder) as service:
        sheets = signed(folder, rows(("north-1",)))
        run("submit", sheets, "--to", service.address, "--definition", folder / "record/definition.cose")
    assert stations(folder)["north-1"] == ("quarantined", "revoked-key")
    (held,) = call("count", folder, "--json").json["contests"][0]["quarantine"]
    assert held["rules"] == ["revoked-key"]
    assert "PASS" in call("verify", tmp_path / "site").out


def test_officers_sign_on_different_machines(pair: Path, tmp_path: Path) -> None:
    away = apart(pair)
    assert "--to FILE" in refused("revoke", pair, "north-1", "--reason", "Lost.", code=2)
    first, second = away / "act.cose", tmp_path / "signed.cose"
    written = call("revoke", pair, "north-1", "--reason", "Lost.\x1b[2J", "--to", first)
    assert "signed by 1 of 2 officers" in written.out
    assert kinds(pair) == ["definition"]

    shown = run("endorse", first, "--key", away / "officer-2.pem", "--to", second, "--yes")
    assert "made by authority/officer-1" in shown.out
    assert "of station/north-1." in shown.out
    assert "\x1b" not in shown.out
    assert "Signed by 1 of 2 officers: authority/officer-1" in shown.out
    assert "Signed as authority/officer-2; all that it needs" in shown.out

    definition = pair / "record/definition.cose"
    with serving(pair) as service:
        sheets = signed(pair, rows(("north-1",)))
        # The act alone changes nothing.
        run("submit", first, "--to", service.address, "--definition", definition)
        run("submit", sheets, "--to", service.address, "--definition", definition)
        run("submit", second, "--to", service.address, "--definition", definition)
        late = signed(pair, rows(("north-1",), OTHER_FIGURES), "late")
        run("submit", late, "--to", service.address, "--definition", definition)
    assert stations(pair)["north-1"] == ("counted", "key-revoked-later")
    assert kinds(pair) == ["definition", "accreditation", "tally-sheet", "endorsement", "tally-sheet"]


def test_an_officer_may_refuse_and_sign_later(pair: Path, tmp_path: Path) -> None:
    away = apart(pair)
    first, no, yes = away / "act.cose", tmp_path / "no.cose", tmp_path / "yes.cose"
    call("revoke", pair, "north-1", "--reason", "Lost.", "--to", first)
    key = away / "officer-2.pem"
    said = call("endorse", first, "--key", key, "--to", no, "--yes", "--refuse", "I was shown no report.").out
    assert "Refused as authority/officer-2; 1 more needed" in said
    said = call("endorse", no, "--key", key, "--to", yes, "--yes", "--record", away / "record").out
    assert "Refused by authority/officer-2: I was shown no report." in said
    assert len(list(read_statements(yes))) == 3
    again = refused("endorse", yes, "--key", key, "--to", tmp_path / "x", "--yes", "--record", away / "record", code=2)
    assert "signed this already" in again


def test_nothing_is_signed_unless_the_officer_says_so(pair: Path, tmp_path: Path) -> None:
    away = apart(pair)
    first, second = away / "act.cose", tmp_path / "signed.cose"
    call("revoke", pair, "north-1", "--reason", "Lost.", "--to", first)
    run("endorse", first, "--key", away / "officer-2.pem", "--to", second, code=130)
    assert not second.exists()


def test_a_forged_act_is_not_endorsed(pair: Path, tmp_path: Path) -> None:
    away = apart(pair)
    first, forged = away / "act.cose", away / "forged.cose"
    call("revoke", pair, "north-1", "--reason", "Lost.", "--to", first)
    (statement,) = read_statements(first)
    payload = parse_statement(statement).payload
    assert isinstance(payload, Accreditation)
    write_statements(forged, [statement[:-1] + bytes([statement[-1] ^ 1])])
    call("endorse", forged, "--key", away / "officer-2.pem", "--to", tmp_path / "x", "--yes", code=1)
    assert not (tmp_path / "x").exists()
    sheets = signed(pair, rows(("north-1",)))
    shutil.move(sheets, away / "sheets.bundle")
    message = refused("endorse", away / "sheets.bundle", "--key", away / "officer-2.pem", "--to", tmp_path / "x", "--yes", code=2)
    assert "'tally-sheet'" in message


def test_the_act_of_another_election_and_a_stranger_s_key_are_refused(pair: Path, tmp_path: Path) -> None:
    away = apart(pair)
    first = away / "act.cose"
    call("revoke", pair, "north-1", "--reason", "Lost.", "--to", first)
    other = opened(tmp_path / "other")
    key = away / "officer-2.pem"
    stranger = refused("endorse", first, "--key", other / "keys/officer-1.pem", "--to", tmp_path / "x", "--yes", code=2)
    assert "no officer's" in stranger
    wrong = refused(
        "endorse",
        first,
        "--key",
        other / "keys/officer-1.pem",
        "--to",
        tmp_path / "x",
        "--yes",
        "--record",
        other / "record",
        code=2,
    )
    assert "belongs to election" in wrong
    (away / "record/definition.cose").unlink()
    assert "--record" in refused("endorse", first, "--key", key, "--to", tmp_path / "x", "--yes", code=2)


def test_an_officer_accredited_later_signs_and_a_revoked_one_does_not(pair: Path) -> None:
    key = make_key(pair / "keys/officer-3.pem")
    text = base64.b64encode(key.public_key).decode()
    assert "2 officers" not in call("accredit", pair, "officer-3", "--role", "authority", "--key", text).out
    assert "would be left" not in call("revoke", pair, "authority/officer-1", "--reason", "Left the office.").out
    log = Office.load(pair).read_log()
    try:
        issuers = [parse_statement(entry).issuer for entry in log.entries(1, log.size)]
    finally:
        log.close()
    # Whoever's key is revoked does not sign that where others can.
    assert issuers[2:] == ["authority/officer-2", "authority/officer-3"]
    call("revoke", pair, "north-1", "--reason", "Lost.")
    assert "would be left with 1 officers" in refused("revoke", pair, "authority/officer-2", "--reason", "Left.", code=2)


def test_one_of_several_keys_is_revoked(folder: Path, tmp_path: Path) -> None:
    private, public = public_pem(tmp_path)
    call("accredit", folder, "north-1", "--key", public)
    assert "already" in refused("accredit", folder, "north-1", "--key", public, code=2)
    call("revoke", folder, "north-1", "--key", public, "--reason", "The device broke.")
    assert "for good" in refused("accredit", folder, "north-1", "--key", public, code=2)
    assert "no current key" in refused("revoke", folder, "north-1", "--key", public, "--reason", "Again.", code=2)
    call("revoke", folder, "north-1", "--reason", "Both of them.")
    assert "not revoked already" in refused("revoke", folder, "north-1", "--reason", "Again.", code=2)
    assert load_key(private).public_key != b""


def test_observers_are_admitted_within_a_unit(folder: Path, tmp_path: Path) -> None:
    _, public = public_pem(tmp_path)
    said = call("accredit", folder, "observer/owl", "--key", public, "--unit", "north", "--name", "Owls of the North").out
    assert "Admits observer/owl (Owls of the North) in the role observer." in said
    assert "(north)" in said
    assert kinds(folder) == ["definition", "accreditation"]
    call("revoke", folder, "observer/owl", "--reason", "Left.")


@pytest.mark.parametrize(
    ("issuer", "options", "said"),
    [
        ("nowhere", (), "no station 'nowhere'"),
        ("owl/observer", (), "is no role"),
        ("observer/owl", ("--role", "agent"), "leave one of them out"),
        ("observer/o w l", (), "observer"),
        ("observer/owl", ("--algorithm", "ml-dsa-44"), "--algorithm says"),
    ],
)
def test_what_cannot_be_accredited(folder: Path, tmp_path: Path, issuer: str, options: tuple[str, ...], said: str) -> None:
    _, public = public_pem(tmp_path)
    assert said in refused("accredit", folder, issuer, "--key", public, *options, code=2)
    assert kinds(folder) == ["definition"]


def test_keys_that_are_none(folder: Path, tmp_path: Path) -> None:
    private, _ = public_pem(tmp_path)
    assert "stays with its owner" in refused("accredit", folder, "north-1", "--key", private, code=2)
    other = tmp_path / "other.pub"
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    other.write_bytes(curve.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    assert "another kind" in refused("accredit", folder, "north-1", "--key", other, code=2)
    other.write_bytes(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    assert "PEM form" in refused("accredit", folder, "north-1", "--key", other, code=2)
    for text in ("", "xyz", "AAAA", "00" * 31):
        assert "neither a file nor" in refused("accredit", folder, "north-1", "--key", text, code=2)
    assert kinds(folder) == ["definition"]


# --- decisions that correct ---------------------------------------------------------------------------------------


def test_a_decision_corrects_some_figures_and_leaves_the_others(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "table.csv"
    source.write_text(HEADER + rows(("north-1",), cast=77, voters=300))
    call("sign", folder, source, "--to", tmp_path / "sheets.bundle")
    with serving(folder) as service:
        run("submit", tmp_path / "sheets.bundle", "--to", service.address, "--definition", folder / "record/definition.cose")
        done = run(
            *("decide", folder, "north-1", "president", "--correct", 1, "--votes", "heron=99", "--cast", 204),
            *("--reason", "The paper sheet says so.", "--to", service.address),
        )
    assert "Decision recorded as entry 2." in done.out
    contest = call("count", folder, "--json").json["contests"][0]
    assert contest["counted"] == 1
    assert contest["votes"] == {"heron": 99, "kingfisher": 50, "owl-forest": 30, "owl-meadow": 20}
    assert (contest["ballots"], contest["blank"]) == (204, 3)


def test_a_correction_names_sheet_and_figures(folder: Path) -> None:
    sheets = signed(folder, rows(("north-1",)))
    (sheet,) = read_statements(sheets)
    assert isinstance(parse_statement(sheet).payload, TallySheet)
    with serving(folder) as service:
        run("submit", sheets, "--to", service.address, "--definition", folder / "record/definition.cose")
    decide = ("decide", folder, "north-1", "president", "--reason", "So.")
    assert "one of --accept" in refused(*decide, code=2)
    assert "one of --accept" in refused(*decide, "--exclude", "--correct", 1, "--cast", 5, code=2)
    assert "goes with the figures" in refused(*decide, "--correct", 1, code=2)
    assert "goes with the figures" in refused(*decide, "--accept", 1, "--cast", 5, code=2)
    for text in ("eagle=5", "heron", "heron=", "heron=-1", "heron=1.5", "heron=99999999999"):
        assert "OPTION=N" in refused(*decide, "--correct", 1, "--votes", text, code=2)
    assert "is not a count" in refused(*decide, "--correct", 1, "--votes", "heron=9999999999", code=2)


def test_a_decision_goes_to_a_file_too(pair: Path, tmp_path: Path) -> None:
    away = apart(pair)
    act = away / "act.cose"
    assert "signed by 1 of 2" in call("decide", pair, "north-1", "president", "--exclude", "--reason", "Flood.", "--to", act).out
    said = call("endorse", act, "--key", away / "officer-2.pem", "--to", tmp_path / "signed.cose", "--yes").out
    assert "Keeps the station out of the count." in said
    assert "Reason: Flood." in said


def test_an_address_without_a_scheme_is_not_taken_for_a_file(folder: Path) -> None:
    for target in ("127.0.0.1:8470", "intake.example.org:80"):
        said = refused("revoke", folder, "north-1", "--reason", "Lost.", "--to", target, code=2)
        assert f"http://{target}" in said
        assert not Path(target).exists()


def test_acts_reach_a_service_with_certificates_of_its_own_authority(folder: Path, tmp_path: Path) -> None:
    files = certificates(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(files.client.read_bytes() + files.client_key.read_bytes())
    _, public = public_pem(tmp_path)
    tls = ("--tls-certificate", files.server, "--tls-key", files.server_key, "--client-authority", files.authority)
    with serving(folder, *tls) as service:
        assert service.address.startswith("https://")
        known = ("--to", service.address, "--authority", files.authority, "--client", both)
        assert "Accreditation recorded as entry 1." in call("accredit", folder, "north-1", "--key", public, *known).out
        assert "Revocation recorded as entry 2." in call("revoke", folder, "north-1", "--reason", "Lost.", *known).out
        assert "recorded as entry 4." in call("bulletin", folder, *known).out
        report = ("--kind", "outage", "--from", "2026-06-07T18:00", "--send", service.address, *known[2:])
        assert "Incident recorded as entry 5." in call("incident", folder, "No power.", *report).out


def test_an_admission_shows_the_key_as_the_station_showed_it(folder: Path, tmp_path: Path) -> None:
    made = call(
        "station", "init", tmp_path / "booth", "--definition", folder / "record/definition.cose", "--station", "north-1"
    ).out
    (shown,) = [line.split()[-1] for line in made.splitlines() if line.startswith("Public key:")]
    assert f"Public key: {shown}" in call("accredit", folder, "north-1", "--key", shown).out


def test_a_key_for_which_there_was_no_room_is_not_in_the_way_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "station.pem"
    program = "import pathlib, sys; from scrutineer.cli.keyring import make_key; make_key(pathlib.Path(sys.argv[1]))"
    full = subprocess.run(
        [sys.executable, "-c", program, path],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "station.pem cannot be written" in full.stderr
    assert not path.exists()
    assert make_key(path) == load_key(path)
