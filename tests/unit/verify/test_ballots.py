"""The check of a site whose ballots were encrypted: proofs, totals and sheets are held against each other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import msgspec
import pytest

import sealed_election as sealed_election_module
from mirror_helpers import do_round, faults, lying
from portal_helpers import Published, republic
from scrutineer.ballots.record import TallyRecord
from scrutineer.portal.ballot_record import StationBallots, scan_bundle, with_tally
from scrutineer.simulate import encrypted
from scrutineer.verify import FolderSource, Report
from scrutineer.verify.replay import verify_site
from sealed_election import Sealed, certified, sealed_election
from site_servers import answering, mirror


def check(given: Published, site: Path, **options: object) -> Report:
    given.publish(site)
    return verify_site(FolderSource(site), definition=given.record.election.hash, **options)  # type: ignore[arg-type]


def said(report: Report) -> list[str]:
    return [str(finding) for finding in report.findings]


def test_ballots_and_sheets_that_agree_pass(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    report = check(sealed.with_ballots(sealed_folder), tmp_path / "site")
    assert said(report) == []
    assert report.passed
    facts = report.ballots
    assert facts is not None
    assert (facts.stations, facts.ballots, facts.checked, facts.cast, facts.challenged) == (2, 16, 16, 10, 2)
    # Three options, four orders, and in each contest ballots cast, blank and null; at two stations.
    assert facts.compared == 2 * (3 + 4 + 2 * 3)
    assert facts.undecrypted == facts.unpublished == []
    assert "the proofs of all were checked" in facts.sentences()[0]


def test_names_written_in_are_the_count_of_their_option(tmp_path: Path) -> None:
    sealed = sealed_election(write_ins=True)
    (warden, _) = sealed.trustees.record.manifest.contests
    assert warden.labels() == ("wren", "heron", "*blank", "*null", "*write-ins")
    assert sealed.trustees.record.manifest.parties[0].options == ((1, 1),)
    given = sealed.with_ballots(sealed.write_folder(tmp_path / "ballots"))
    report = check(given, tmp_path / "site")
    assert said(report) == []
    assert report.ballots is not None
    assert report.ballots.compared == 2 * (3 + 4 + 2 * 3)
    sealed = sealed_election(write_ins=True, misstated=True)
    given = sealed.with_ballots(sealed.write_folder(tmp_path / "misstated"))
    assert any("give 1 for write-ins, and" in one and "states 2" in one for one in said(check(given, tmp_path / "other")))


def test_an_election_without_keys_has_no_such_step(sealed: Sealed, tmp_path: Path) -> None:
    report = check(republic(40), tmp_path / "site")
    assert report.passed
    assert report.ballots is None


def test_a_sheet_that_states_other_figures_is_named_and_nobody_accused(tmp_path: Path) -> None:
    sealed = sealed_election(misstated=True)
    report = check(sealed.with_ballots(sealed.write_folder(tmp_path / "ballots")), tmp_path / "site")
    assert not report.passed
    assert {finding.check for finding in report.findings} == {"ballots"}
    found = said(report)
    assert len(found) == 4
    assert found[0] == (
        "ballots/pond.tally.json: contest warden: the encrypted ballots give 2 for wren, and the signed sheet (log entry 1) "
        "states 1; the paper records show which is right"
    )
    assert any("give 1 for robin, and" in one and "states 2" in one for one in found)
    assert any("give 1 for siskin>robin, and" in one and "states 0" in one for one in found)


@pytest.mark.parametrize("extent", ["none", "sample"])
def test_less_can_be_asked_for(sealed: Sealed, sealed_folder: Path, tmp_path: Path, extent: str) -> None:
    report = check(sealed.with_ballots(sealed_folder), tmp_path / "site", ballots=extent)
    assert report.passed
    assert report.ballots is not None
    assert report.ballots.checked == (0 if extent == "none" else 16)


def test_ballots_that_are_not_there_yet_are_a_note(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    (sealed_folder / "pond.jsonl").unlink()
    (sealed_folder / "reed.tally.json").unlink()
    report = check(sealed.with_ballots(sealed_folder), tmp_path / "site")
    assert report.passed
    assert report.ballots is not None
    assert (report.ballots.unpublished, report.ballots.undecrypted) == (["pond"], ["reed"])
    assert report.ballots.sentences()[1:] == [
        "Totals not decrypted yet: reed.",
        "Ballots named by a sheet and not published yet: pond.",
    ]


def tally(own: StationBallots, change: Callable[[TallyRecord], TallyRecord], given: TallyRecord) -> StationBallots:
    data = change(given).encode()
    return with_tally(own, lambda: iter([data]))


def one_vote_more(record: TallyRecord) -> TallyRecord:
    first = record.contests[0]
    field = msgspec.structs.replace(first.fields[0], total=first.fields[0].total + 1)
    contest = msgspec.structs.replace(first, fields=(field, *first.fields[1:]))
    return msgspec.structs.replace(record, contests=(contest, *record.contests[1:]))


def unopened(record: TallyRecord) -> TallyRecord:
    return msgspec.structs.replace(record, challenged=())


@pytest.mark.parametrize(("change", "number"), [(one_vote_more, "10."), (unopened, "R.10")])
def test_totals_that_were_not_decrypted_so_are_found(
    sealed: Sealed, sealed_folder: Path, tmp_path: Path, change: Callable[[TallyRecord], TallyRecord], number: str
) -> None:
    given = sealed.with_ballots(sealed_folder)
    ballots = dict(given.record.ballots)
    first = next(iter(ballots))
    ballots[first] = tally(ballots[first], change, sealed.tallies["pond"])
    report = check(replace(given, record=replace(given.record, ballots=ballots)), tmp_path / "site")
    assert not report.passed
    assert {finding.check for finding in report.findings} == {"ballots"}
    assert any(f"(check {number}" in one for one in said(report))


def test_a_bundle_that_was_exchanged_after_publication_is_found(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    sealed.with_ballots(sealed_folder).publish(site)
    path = site / "ballots/pond.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"spoiled"', b'"provisional"', 1))
    report = verify_site(FolderSource(site), definition=sealed.given.record.election.hash)
    assert not report.passed
    assert report.findings[0].where == "ballots/pond.jsonl"
    assert "and the station's sheet names" in report.findings[0].message


def test_a_bundle_in_the_place_of_another_does_not_belong_to_the_site(
    sealed: Sealed, sealed_folder: Path, tmp_path: Path
) -> None:
    given = sealed.with_ballots(sealed_folder)
    (number, pond), _ = given.record.ballots.items()
    data = sealed.voted["reed"].bundle
    wrong = replace(scan_bundle("pond", lambda: iter([data])), named_by=pond.named_by)
    report = check(
        replace(given, record=replace(given.record, ballots={**given.record.ballots, number: wrong})), tmp_path / "site"
    )
    assert not report.passed
    assert "ballots/pond.jsonl: is listed in the manifest, and the log gives no such file" in said(report)


def test_once_the_result_is_certified_missing_ballots_are_a_finding(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    final = certified(sealed)
    assert check(final.with_ballots(sealed_folder), tmp_path / "whole").passed
    (sealed_folder / "pond.jsonl").unlink()
    report = check(final.with_ballots(sealed_folder), tmp_path / "site")
    assert said(report) == [
        "ballots/pond.jsonl: is not published, although the sheet in log entry 1, 2 names it and the result is certified"
    ]


def test_a_sheet_cannot_leave_out_the_name_of_its_ballots(tmp_path: Path) -> None:
    """Otherwise one contest could state anything beside another that names the ballots of both."""
    sealed = sealed_election(unnamed=True)
    report = check(sealed.with_ballots(sealed.write_folder(tmp_path / "ballots")), tmp_path / "site")
    (found,) = said(report)
    assert found == (
        "ballots/pond.jsonl: holds ballots in contest song, and the station's sheet in that contest (log entry 2) does not name "
        "them: its figures are held against nothing"
    )


def test_once_the_result_is_certified_missing_totals_are_a_finding(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    """Whoever publishes could otherwise leave out the decryption that the sheets do not agree with."""
    (sealed_folder / "pond.tally.json").unlink()
    assert check(sealed.with_ballots(sealed_folder), tmp_path / "before").passed
    report = check(certified(sealed).with_ballots(sealed_folder), tmp_path / "after")
    assert said(report) == [
        "ballots/pond.tally.json: is not published, although the ballots that it is of are, and the result is certified"
    ]


def test_ballots_of_another_style_are_found(tmp_path: Path) -> None:
    """A ballot without one of the station's contests proves itself, and its voter had no vote there."""
    warden, song = sealed_election_module.CONTESTS
    contests = (warden, msgspec.structs.replace(song, unit="north"))

    def without_song(keys: object, station: str, device: str, style: int, ballots: list[object], random: object) -> object:
        del style
        short = [({1: choices[1]}, status) for choices, status in ballots]  # type: ignore[misc, index, attr-defined]
        return encrypted.vote(keys, station, device, 2, short, random)  # type: ignore[arg-type]

    with mock.patch.multiple(sealed_election_module, CONTESTS=contests, vote=without_song):
        sealed = sealed_election.__wrapped__()
        report = check(sealed.with_ballots(sealed.write_folder(tmp_path / "ballots")), tmp_path / "site")
    assert "ballots/pond.jsonl: has 5 cast ballot(s) of another ballot style than the station's, style-1" in said(report)


def test_a_mirror_holds_the_ballots_and_takes_no_other_keys(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    site, name = tmp_path / "site", sealed.given.record.election.hash
    sealed.with_ballots(sealed_folder).publish(site)
    with answering(mirror(site, {})) as address:
        result = do_round(tmp_path / "copy", address, definition=name)
    assert result.good
    copied = tmp_path / "copy" / "site"
    assert (copied / "ballots/pond.jsonl").read_bytes() == sealed.voted["pond"].bundle
    assert verify_site(FolderSource(copied.resolve()), definition=name).passed
    keys = (site / "definition/ballots.json").read_bytes().replace(b'"Robin"', b'"Rabin"', 1)
    with answering(lying(site, {"definition/ballots.json": keys})) as address:
        result = do_round(tmp_path / "other", address, definition=name)
    assert result.checkpoint is None
    assert list(faults(result)) == ["unfit"]
