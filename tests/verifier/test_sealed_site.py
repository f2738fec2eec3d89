"""Sites with encrypted ballots: accepted as published, and refused where ballots, totals or sheets were changed."""

import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from second_look import ballots
from second_look.ballots import check_station
from second_look.count import Count
from second_look.report import Report
from second_look.site import verify_site

from scrutineer.portal import SiteOptions
from sealed_election import CONTESTS, sealed_election

ENGLISH = SiteOptions(languages=("en",))


def _published(folder: Path, **options: bool) -> Path:
    sealed = sealed_election(**options)
    given = sealed.with_ballots(sealed.write_folder(folder / "ballots"))
    given.with_options(ENGLISH).publish(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _published(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def copy(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy whose publisher may have signed whatever stands in it: the list of files is not compared."""
    monkeypatch.setattr("second_look.site._check_files", lambda *_: None)
    shutil.copytree(site, tmp_path / "copy")
    return tmp_path / "copy"


def _only(report: Report, *checks: str) -> None:
    assert report.count, "nothing was found"
    assert report.checks() <= set(checks), report.findings


def test_a_site_with_encrypted_ballots_is_accepted(site: Path) -> None:
    report = verify_site(site)
    assert not report.count, report.findings
    assert not report.taken
    assert any("encrypted ballots of 2 stations" in line for line in report.checked)


def test_work_can_be_shared(site: Path) -> None:
    first, second = verify_site(site, part=(1, 2)), verify_site(site, part=(2, 2))
    assert not first.count + second.count
    for report in (first, second):
        assert any("encrypted ballots of 1 stations" in line for line in report.checked)
        assert report.taken


def test_sheets_must_state_what_the_ballots_hold(tmp_path: Path) -> None:
    report = verify_site(_published(tmp_path, misstated=True))
    _only(report, "sheet")
    assert {finding["where"] for finding in report.findings} == {
        "ballots/pond.jsonl, contest warden",
        "ballots/pond.jsonl, contest song",
    }


def test_a_sheet_cannot_leave_out_the_name_of_its_ballots(tmp_path: Path) -> None:
    report = verify_site(_published(tmp_path, unnamed=True))
    _only(report, "sheet")
    assert [finding["where"] for finding in report.findings] == ["ballots/pond.jsonl, contest song"]


def test_ballots_have_the_style_of_their_station(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a contest stood on the ballots of a station that does not vote in it."""

    def elsewhere(keys: object, path: Path, tally: Path | None, count: Count, report: Report) -> None:
        count.places["song"].pop("pond", None)
        check_station(keys, path, tally, count, report)  # type: ignore[arg-type]

    monkeypatch.setattr(ballots, "check_station", elsewhere)
    wheres = {finding["where"] for finding in verify_site(copy).findings if finding["check"] == "sheet"}
    assert wheres == {"ballots/pond.jsonl, contest song"}


def test_names_written_in_are_the_count_of_their_option(tmp_path: Path) -> None:
    site = _published(tmp_path, write_ins=True)
    report = verify_site(site)
    assert not report.count, report.findings
    assert any("encrypted ballots of 2 stations" in line for line in report.checked)
    keys = (site / "definition/ballots.json").read_bytes()
    feather = {"id": "feather", "name": "Feather List", "options": ["warden/wren"]}
    for write_in, parties, same in (
        ("owl", [feather], True),
        ("heron", [feather], False),
        ("", [feather], False),
        ("owl", [], False),
        ("owl", [feather | {"options": ["warden/heron"]}], False),
    ):
        contests = {contest.id: {"max_choices": 1, "write_in": ""} | msgspec.to_builtins(contest) for contest in CONTESTS}
        contests["warden"]["write_in"] = write_in
        election = SimpleNamespace(contests=contests, definition={"id": "test", "parties": parties})
        report = Report()
        ballots.open_site_keys(keys, SimpleNamespace(election=election), report)  # type: ignore[arg-type]
        assert report.checks() == (set() if same else {"manifest"})


@pytest.mark.parametrize("change", [{"max_choices": 2}, {"rule": "approval"}, {"options": [{"id": "wren"}]}])
def test_keys_allow_no_more_than_the_definition(site: Path, change: dict[str, object]) -> None:
    """Keys for ballots of three votes each, in a contest where a voter has one, would let every ballot prove itself."""
    keys = (site / "definition/ballots.json").read_bytes()
    for changed in (False, True):
        report, contests = Report(), {contest.id: msgspec.to_builtins(contest) for contest in CONTESTS}
        for contest in contests.values():
            contest.setdefault("max_choices", 1)
            contest.setdefault("write_in", "")
        contests["warden"] |= change if changed else {}
        election = SimpleNamespace(contests=contests, definition={"id": "test", "parties": []})
        ballots.open_site_keys(keys, SimpleNamespace(election=election), report)  # type: ignore[arg-type]
        assert report.checks() == ({"manifest"} if changed else set())


def test_ballots_that_are_not_decrypted_are_named(copy: Path) -> None:
    (copy / "ballots/pond.tally.json").unlink()
    report = verify_site(copy)
    assert not report.count, report.findings
    assert any("pond" in line for line in report.taken)


def test_records_that_are_not_published_are_named(copy: Path) -> None:
    (copy / "ballots/pond.jsonl").unlink()
    report = verify_site(copy)
    assert not report.count, report.findings
    assert any("1 records that sheets name" in line for line in report.taken)


def test_totals_of_another_station_are_refused(copy: Path) -> None:
    shutil.copy(copy / "ballots/reed.tally.json", copy / "ballots/pond.tally.json")
    assert {"R.8", "10.B", "R.10"} <= verify_site(copy).checks()


def test_ballots_of_another_station_are_refused(copy: Path) -> None:
    shutil.copy(copy / "ballots/reed.jsonl", copy / "ballots/pond.jsonl")
    assert {"5.A", "R.4", "R.8", "R.12"} <= verify_site(copy).checks()


def test_any_flipped_bit_is_noticed(copy: Path) -> None:
    draw = random.Random(7)
    for name in ("ballots/pond.jsonl", "ballots/pond.tally.json", "definition/ballots.json"):
        data = (copy / name).read_bytes()
        for _ in range(2):
            changed = bytearray(data)
            changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            (copy / name).write_bytes(changed)
            assert verify_site(copy, part=(1, 2)).count, name
        (copy / name).write_bytes(data)
