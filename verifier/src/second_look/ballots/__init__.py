"""Encrypted ballots: the 19 verifications of the ElectionGuard Design Specification 2.1.0, and that sheets state their totals.

Modules in the order of the specification: `numbers` (3.1.1 and 5), `wire` (the record's form), `keys` (verifications 1 to 4),
`ballot` (5 to 8), `bundle` (chain and 9), `opened` (10 to 14), `pre_encrypted` (15 to 19). Failing checks bear the number of the
specification, or R.1 and up for those of the record's form (docs/formats.md, "Ballot records").
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from second_look.ballots.bundle import Bundle, check_bundle
from second_look.ballots.keys import Keys, open_keys
from second_look.ballots.numbers import STANDARD, Group
from second_look.ballots.opened import Totals, check_tally, read_tally
from second_look.ballots.wire import LONGEST_LINE
from second_look.count import Count, Place
from second_look.report import FormatError, Report

__all__ = ["STANDARD", "Group", "check", "check_station", "open_keys", "open_site_keys"]


def check(keys: bytes, records: dict[str, tuple[bytes, bytes | None]], group: Group = STANDARD) -> Report:
    """Verify ballots.json and bundles by name, each with its tally record or None. Another group is for tests alone."""
    report = Report()
    opened = open_keys(keys, group, report)
    if opened is None:
        return report
    for name, (bundle, tally) in records.items():
        _check_record(io.BytesIO(bundle), tally, opened, name, report)
    return report


def _check_record(lines: Iterable[bytes], tally: bytes | None, keys: Keys, where: str, report: Report) -> tuple[Bundle, Totals]:
    """One bundle and its tally record."""
    record: dict[str, Any] | None = None
    place = f"{where}, totals"
    if tally is not None:
        try:
            record = read_tally(tally)
        except FormatError as error:
            report.add("R.8", place, str(error))
    wanted = {opened["code"] for opened in record["data"]} if record is not None else set()
    bundle = check_bundle(lines, keys, wanted, where, report)
    if record is None:
        return bundle, {}
    return bundle, check_tally(record, bundle, keys, place, report)


def open_site_keys(data: bytes, count: Count, report: Report) -> Keys | None:
    """The keys of a site, whose manifest must have the contests, options and limits of the definition."""
    keys = open_keys(data, STANDARD, report)
    if keys is None:
        return None
    election = count.election
    same = keys.manifest["election"] == election.definition["id"]
    for contest in keys.manifest["contests"]:
        own = election.contests.get(contest["label"])
        write_in = own["write_in"] if own is not None else ""
        standing = [option["id"] for option in own["options"]] if own is not None else []
        options = [option for option in standing if option != write_in]
        same &= own is not None and (contest["orders"] or contest["options"] == options)
        same &= not contest["orders"] or all(part in options for order in contest["options"] for part in order.split(">"))
        # A ballot that may hold more than a voter has would prove itself.
        limit = 1 if own is None or contest["orders"] else own["max_choices"]
        if own is not None and own["rule"] == "approval" and limit == 1:
            limit = len(standing)
        same &= own is None or contest["orders"] == (own["rule"] == "ranked")
        fields = ["blank", "null"] + ["undervotes"] * (limit > 1) + ["write-ins"] * bool(write_in)
        same &= (contest["selection_limit"], contest["option_limit"], contest["fields"]) == (limit, 1, fields)
        # Room for up to eight names of 80 bytes with their lengths, two bytes, and a bit for each option.
        room = 2 + -(-len(options) // 8) + 81 * min(limit, 8) if write_in else 0
        same &= contest["data_blocks"] == -(-room // 32)
    same &= keys.manifest["parties"] == _parties(keys.manifest, election.definition["parties"])
    report.require(same, "manifest", "ballots.json", "its contests, options or limits are not those of the definition")
    return keys


def _parties(manifest: dict[str, Any], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parties of a definition as a manifest numbers their options; an option that is not encrypted is left out."""
    found = []
    for party in given:
        own = set(party["options"])
        numbers = [
            [index, place]
            for index, contest in enumerate(manifest["contests"], 1)
            for place, option in enumerate(contest["options"], 1)
            if f"{contest['label']}/{option}" in own
        ]
        found.append({"label": party["id"], "name": party["name"], "options": numbers})
    return found


def check_station(keys: Keys, path: Path, tally: Path | None, count: Count, report: Report) -> None:
    """One station's bundle on a site, its tally record, and its sheets."""
    where = f"ballots/{path.name}"
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(LONGEST_LINE + 1), b"")
        bundle, totals = _check_record(lines, tally.read_bytes() if tally else None, keys, where, report)
    if tally is None:
        report.taken.append(f"{where}: the totals of its sheets (the ballots are not decrypted yet)")
    known = bundle.station in count.election.stations and path.name == f"{bundle.station}.jsonl"
    if not report.require(known, "R.4", where, "it is of another station than its name says"):
        return
    places = {contest: rows[bundle.station] for contest, rows in count.places.items() if bundle.station in rows}
    naming = {contest for contest, place in places.items() if place.shown is not None and place.shown.records == bundle.name}
    report.require(bool(naming), "sheet", where, "no sheet of the station that is shown names these ballots")
    for index, contest in enumerate(keys.contests, start=1):
        place = places.get(contest.label)
        # A ballot of another style lacks a contest in which its voter could vote, or has one in which nobody here can.
        expected = bundle.statuses["cast"] if place is not None else 0
        own = f"{where}, contest {contest.label}"
        report.require(bundle.cast[index] == expected, "sheet", own, "its cast ballots are not all of the station's style")
        if place is None:
            continue
        if contest.label in naming:
            if contest.label in totals:
                _check_sheet(bundle, index, contest.label, totals[contest.label], place, count, where, report)
        elif place.shown is not None and bundle.cast[index]:
            if place.decided:
                report.taken.append(f"{own}: the figures of a sheet that does not name these ballots, on which officers decided")
            else:
                report.add("sheet", own, "the sheet that is shown does not name these ballots, which hold its contest")


def _check_sheet(
    bundle: Bundle, index: int, contest: str, totals: dict[str, int], place: Place, count: Count, where: str, report: Report
) -> None:
    """A sheet that names this bundle states its totals, whatever a decision may have put in place of them."""
    where, sheet = f"{where}, contest {contest}", place.shown
    if sheet is None:
        return
    terms = count.election.contests[contest]
    options = [option["id"] for option in terms["options"]]
    blank, null, cast, _, _ = sheet.figures
    if count.election.contests[contest]["rule"] == "ranked":
        stated = {">".join(options[option] for option in order): ballots for order, ballots in sheet.rankings or () if ballots}
        own = {label: total for label, total in totals.items() if total and not label.startswith("*")}
        report.require(stated == own, "sheet", where, "the sheet states other rankings than the ballots hold")
    else:
        own_counts = [totals.get("*write-ins" if option == terms["write_in"] else option) for option in options]
        report.require(
            sheet.counts == own_counts, "sheet", where, f"the sheet states {sheet.counts}, the ballots hold {own_counts}"
        )
    for name, stated_figure in (("*blank", blank), ("*null", null)):
        holds = name not in totals or stated_figure == totals[name]
        report.require(holds, "sheet", where, f"{name[1:]} is {stated_figure}, and the ballots hold {totals.get(name)}")
    holds = cast is None or cast == bundle.cast[index]
    report.require(holds, "sheet", where, f"{cast} ballots cast are stated, and there are {bundle.cast[index]}")
