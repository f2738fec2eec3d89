"""`incident` and `incidents`: what is reported and refused, shown and checked; `open` makes the operator's key."""

import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli_helpers import call, opened, refused, serving
from incident_helpers import TIME, Kept, change, records, send
from scrutineer.cli.incident_commands import CAUTION
from scrutineer.cli.keyring import make_key
from scrutineer.cli.office import INCIDENTS, OPERATOR, Office
from scrutineer.intake.incidents.journal import journal_files
from scrutineer.intake.incidents.summary import summarise

REPORT = ("Power was off in the north.", "--kind", "outage", "--from", "2027-03-14T18:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return opened(tmp_path / "birds")


@pytest.fixture
def kept(folder: Path) -> Kept:
    """A journal with three windows in two hours, of which the first two are summed up in the log."""
    office = Office.load(folder)
    kept = Kept(folder / INCIDENTS, office.election.hash)
    for count, reason in ((5, "bad-signature"), (2, "duplicate")):
        for _ in range(count):
            kept.record.note(reason, "192.0.2.7")
        kept.end_window()
    sum_up(folder)
    kept.end_window(3600)
    kept.record.note("not-found", "2001:db8:7::1")
    kept.end_window()
    kept.record.close()
    return kept


def sum_up(folder: Path, first: int = 1) -> int:
    """Sign what the journal holds from a record on, and record it; the log index."""
    office = Office.load(folder)
    sign = office.operator_signature()
    assert sign is not None
    incident = summarise([record for record in records(folder / INCIDENTS) if record.n >= first], office.election.hash)
    assert incident is not None
    log = office.open_log()
    try:
        return log.append([sign(incident)])[0].index
    finally:
        log.close()


class TestOperator:
    def test_open_makes_its_key_and_the_register_names_it(self, folder: Path) -> None:
        office = Office.load(folder)
        (issuer,) = office.election.register.find(OPERATOR)
        assert issuer.key == office.key_of(OPERATOR).public_key
        assert (folder / "keys" / "operator.pem").stat().st_mode & 0o077 == 0
        assert office.operator_signature() is not None

    def test_not_where_the_organiser_names_an_operator(self, tmp_path: Path) -> None:
        folder = tmp_path / "birds"
        call("new", folder)
        key = make_key(tmp_path / "own.pem")
        (folder / "register.csv").write_text(f"issuer,unit,algorithm,key,name\noperator/crane,,ed25519,{key.public_key.hex()},\n")
        call("open", folder)
        assert not (folder / "keys" / "operator.pem").exists()
        assert Office.load(folder).operator_signature() is None
        (tmp_path / "own.pem").rename(folder / "keys" / "operator.pem")
        assert Office.load(folder).operator_signature() is not None

    def test_a_key_that_the_register_does_not_name_signs_nothing(self, folder: Path) -> None:
        (folder / "keys" / "operator.pem").unlink()
        assert Office.load(folder).operator_signature() is None
        make_key(folder / "keys" / "operator.pem")
        assert Office.load(folder).operator_signature() is None


class TestReport:
    def test_it_is_signed_recorded_shown_published_and_verified(self, folder: Path, tmp_path: Path) -> None:
        photograph = tmp_path / "photograph.jpg"
        photograph.write_bytes(b"light")
        given = call(
            "incident", folder, *REPORT, "--to", "2027-03-14T19:30", "--unit", "north", "--evidence", photograph, "--json"
        )
        assert given.json == {
            "entry": 1,
            "issuer": OPERATOR,
            "kind": "outage",
            "since": 1_805_047_200,
            "until": 1_805_052_600,
            "unit": "north",
            "text": "Power was off in the north.",
            "evidence": [hashlib.sha256(b"light").hexdigest()],
        }
        assert "Incident recorded as entry 2." in call("incident", folder, *REPORT).out
        assert "Entry 1, outage, north, 2027-03-14 18:00 to 2027-03-14 19:30 UTC" in call("incidents", folder).out
        site = tmp_path / "site"
        call("publish", folder, "--to", site, "--json")
        assert call("verify", site, "--json").json["passed"]
        assert [report["entry"] for report in call("incidents", site, "--json").json["reports"]] == [1, 2]
        assert call("incidents", site, "--kind", "attack", "--json").json["reports"] == []
        assert call("incidents", site, "--until", "2027-03-14T18:00", "--json").json["reports"] == []

    def test_a_station_reports_of_itself(self, folder: Path) -> None:
        call("incident", folder, *REPORT, "--as", "station/north-1", "--unit", "north-1")
        told = refused("incident", folder, *REPORT, "--as", "station/north-1", "--unit", "north-2")
        assert "which does not hold 'north-2'" in told

    def test_what_cannot_be_said(self, folder: Path) -> None:
        assert "is no time" in refused("incident", folder, "x", "--kind", "other", "--from", "yesterday", code=2)
        assert "no stretch of time" in refused("incident", folder, *REPORT, "--to", "2027-03-14T17:00")
        assert "say what happened" in refused("incident", folder, " ", *REPORT[1:])
        call("incident", folder, "x", "--kind", "requests", "--from", "2027-03-14", code=2)


class TestRecord:
    def test_hours_kinds_counts_and_networks(self, folder: Path, kept: Kept) -> None:
        shown = call("incidents", folder, "--json").json
        assert [(row["since"] - TIME, row["kind"], row["count"], row["networks"]) for row in shown["requests"]] == [
            (0, "forged-signature", 5, {"192.0.2.0/24": 5}),
            (0, "replay", 2, {"192.0.2.0/24": 2}),
            (3600, "scan", 1, {"2001:db8:7::/48": 1}),
        ]
        assert shown["findings"] == []
        assert shown["summaries"] == 1
        assert shown["journals"][0]["records"] == 4
        told = call("incidents", folder).out
        assert CAUTION in told
        assert "2025-01-01 00:00–01:00 forged-signature 5 192.0.2.0/24 5" in " ".join(told.split())
        assert "also what an honest sender does" in told

    def test_what_is_asked_for_alone(self, folder: Path, kept: Kept) -> None:
        def kinds(*options: str) -> list[str]:
            return [row["kind"] for row in call("incidents", folder, *options, "--json").json["requests"]]

        assert kinds("--kind", "replay") == ["replay"]
        assert kinds("--since", "2025-01-01T01:00") == ["scan"]
        assert kinds("--until", "2025-01-01T00:01") == ["forged-signature"]
        assert kinds("--since", "2025-01-01T02:01+01:00", "--until", "2025-01-01T03:00Z") == ["scan"]
        assert kinds("--since", "2026-01-01") == []
        assert "No incident is on record" in call("incidents", folder, "--since", "2026-01-01").out

    def test_a_site_shows_the_summaries(self, folder: Path, kept: Kept, tmp_path: Path) -> None:
        site = tmp_path / "site"
        call("publish", folder, "--to", site, "--json")
        assert call("verify", site, "--json").json["passed"]
        shown = call("incidents", site, "--json").json
        assert [(row["kind"], row["count"], row["source"]) for row in shown["requests"]] == [
            ("forged-signature", 5, "entry 1"),
            ("replay", 2, "entry 1"),
        ]
        assert shown["journals"] == []
        assert "the journal itself is not here" in call("incidents", site).out

    def test_altered_missing_and_moved_records_are_named(self, folder: Path, kept: Kept) -> None:
        (path,) = journal_files(kept.folder)
        lines = path.read_bytes().splitlines(keepends=True)
        change(path, 1, counts={"forged-signature": [1, {}]})
        told = call("incidents", folder, code=1).out
        assert f"{path.name}, line 2 (record 2): it was changed" in told
        assert "the record is not as it was written" in told
        path.write_bytes(b"".join([lines[0], *lines[2:]]))
        assert "record 2 is missing before record 3" in call("incidents", folder, code=1).out
        path.write_bytes(b"".join([lines[0], lines[1], lines[3], lines[2]]))
        assert "record 3 is missing before record 4" in call("incidents", folder, code=1).out

    def test_a_journal_that_was_cut_off_or_written_anew_disagrees_with_the_log(self, folder: Path, kept: Kept) -> None:
        (path,) = journal_files(kept.folder)
        whole = path.read_bytes()
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
        (found,) = call("incidents", folder, "--json", code=1).json["findings"]
        assert "the summary in log entry 1 covers records to 3, and the journal ends with record 2" in found
        path.unlink()
        again = Kept(kept.folder, kept.election)
        again.record.note("not-found", "192.0.2.7")
        again.record.close()
        shown = call("incidents", folder, "--json").json
        # Another journal: both are shown, the lost one as its summary tells.
        assert [(row["kind"], row["source"]) for row in shown["requests"]] == [
            ("forged-signature", "entry 1"),
            ("replay", "entry 1"),
            ("scan", "journal"),
        ]

    def test_a_record_that_was_summed_up_twice(self, folder: Path, kept: Kept) -> None:
        entry = sum_up(folder, first=2)
        (found,) = call("incidents", folder, "--json", code=1).json["findings"]
        assert found.startswith(f"log entry {entry}: records 2 to 3 are summed up twice")

    def test_several_services_have_a_journal_each(self, folder: Path, kept: Kept) -> None:
        other = Kept(folder / INCIDENTS / "second", kept.election)
        other.record.note("too-large", "192.0.2.7")
        other.record.close()
        shown = call("incidents", folder, "--json").json
        assert len(shown["journals"]) == 2
        assert "oversize" in [row["kind"] for row in shown["requests"]]

    def test_a_folder_that_is_neither(self, tmp_path: Path) -> None:
        assert "neither an opened election folder nor a published site" in refused("incidents", tmp_path, code=2)


def test_what_a_service_refuses_is_on_record(folder: Path) -> None:
    with serving(folder) as service:
        parts = urlsplit(service.address)
        address = (str(parts.hostname), int(parts.port or 0))
        answers = list(send(address, [("POST", "/entries", b"tea"), ("GET", "/admin", b""), ("GET", "/.env", b"")]))
        assert [status for status, _ in answers] == [400, 404, 404]
    shown = call("incidents", folder, "--json").json
    assert {row["kind"]: row["count"] for row in shown["requests"]} == {"malformed": 1, "scan": 2}
    assert shown["summaries"] == 1
    assert shown["findings"] == []
    assert json.dumps(shown).count("127.0.0.1") == 0
