"""Published figures beside our own: tables, summary, bulletins, snapshots (docs/formats.md, "Published data and the API")."""

import hashlib
from pathlib import Path
from typing import Any

from second_look.count import Count
from second_look.election import read_csv, write_csv
from second_look.report import BROKEN, FormatError, Report
from second_look.shapes import load_json

_UNIT = ["stations", "counted", "quarantined", "excluded", "outstanding", "roll", "ballots", "blank", "null", "voters"]
RESULTS = ["unit", "parent", "kind", "name", *_UNIT]
STATIONS = ["station", "parent", "name", "status", "entry", "rules", "roll", "stated_roll", "voters", "cast", "blank", "null"]
SUMMED = [*_UNIT, "stated_roll", "cast"]
BULLETIN = ["votes", "blank", "null", "ballots", "stations", "counted", "quarantined", "excluded", "outstanding", "open_ballots"]


def _options(count: Count, contest: str) -> list[str]:
    return [f"votes:{option['id']}" for option in count.election.contests[contest]["options"]]


def results_csv(count: Count, contest: str) -> bytes:
    """results.csv: totals of every unit above the stations, in the order of units.csv. None is an empty cell."""
    rows: list[list[Any]] = [RESULTS + _options(count, contest)]
    for unit, total in count.totals(contest).items():
        row = count.election.units[unit]
        rows.append([unit, row.parent, row.kind, row.name, *(total[key] for key in _UNIT), *total["votes"]])
    return write_csv(rows)


def stations_csv(count: Count, contest: str) -> bytes:
    """stations.csv: every station that votes in the contest, with the figures that stand for it."""
    rows: list[list[Any]] = [STATIONS + _options(count, contest)]
    width = len(_options(count, contest))
    for station, place in count.places[contest].items():
        unit = count.election.units[station]
        blank, null, cast, voters, roll = place.figures
        entry = None if place.shown is None else place.shown.index
        first = [station, unit.parent, unit.name, place.status, entry, count.rules_of(place)]
        rows.append([*first, unit.roll, roll, voters, cast, blank, null, *(place.counts or [None] * width)])
    return write_csv(rows)


def check_data(site: Path, count: Count, size: int, root: bytes, report: Report) -> None:
    """Hold every data/<contest>/ against our own tables, and the summary against our totals."""
    for contest in count.election.contests:
        folder = site / "data" / folder_name(contest, list(count.election.contests))
        own = {"results.csv": results_csv(count, contest), "stations.csv": stations_csv(count, contest)}
        for name, data in own.items():
            where = f"data/{folder.name}/{name}"
            published = (folder / name).read_bytes() if (folder / name).is_file() else b""
            if published != data:
                report.add("data", where, _difference(published, data))
        try:
            _check_control((folder / "control.json").read_bytes(), contest, own)
        except BROKEN as error:
            report.add("data", f"data/{folder.name}/control.json", f"control totals: {error}")
    try:
        _check_summary((site / "data/summary.json").read_bytes(), count, size, root)
    except BROKEN as error:
        report.add("data", "data/summary.json", str(error))


def folder_name(contest: str, contests: list[str]) -> str:
    """The name of a contest's folder ("Published data and the API", last paragraph)."""
    devices = {"con", "prn", "aux", "nul"} | {f"{kind}{digit}" for kind in ("com", "lpt") for digit in range(10)}
    alike = [other for other in contests if other.lower() == contest.lower()]
    if len(alike) == 1 and contest.partition(".")[0].lower() not in devices:
        return contest
    return f"{hashlib.sha256(contest.encode()).hexdigest()[:12]}~{contest}"


def _difference(published: bytes, own: bytes) -> str:
    theirs, ours = published.split(b"\n"), own.split(b"\n")
    for number, (left, right) in enumerate(zip(theirs, ours, strict=False), start=1):
        if left != right:
            return f"line {number} is {left[:200]!r}, and the log gives {right[:200]!r}"
    return f"has {len(theirs)} lines, and the log gives {len(ours)}"


def sums(table: bytes) -> tuple[int, dict[str, int]]:
    """A table's rows, and the sum of each column of figures, empty cells left out."""
    header, *rows = read_csv(table)
    columns = [(at, name) for at, name in enumerate(header) if name in SUMMED or name.startswith("votes:")]
    return len(rows), {name: sum(int(row[at]) for row in rows if row[at]) for at, name in columns}


def _check_control(data: bytes, contest: str, own: dict[str, bytes]) -> None:
    control = load_json(data)
    if control["contest"] != contest or {"results.csv", "stations.csv"} - {file["file"] for file in control["files"]}:
        raise FormatError("of another contest, or not of all tables")
    for file in control["files"]:
        table = own.get(file["file"], own["stations.csv"])  # the other forms of stations.csv have its rows and columns
        rows, totals = sums(table)
        if file["rows"] != rows or file["sums"] != totals:
            raise FormatError(f"rows or sums of {file['file']} are not what the log gives")
        if file["file"] in own and (file["bytes"] != len(table) or file["sha256"] != hashlib.sha256(table).hexdigest()):
            raise FormatError(f"size or hash of {file['file']} is not what the log gives")


def contest_unit(count: Count, contest: str) -> str:
    """The unit that a contest is held in."""
    return count.election.contests[contest]["unit"] or next(iter(count.election.units))


def _totals(count: Count, contest: str) -> dict[str, Any] | None:
    """Totals of a contest's whole unit; None where that is a single station."""
    return count.totals(contest).get(contest_unit(count, contest))


def _check_summary(data: bytes, count: Count, size: int, root: bytes) -> None:
    summary = load_json(data)
    if (summary["size"], summary["root"]) != (size, root.hex()):
        raise FormatError("of another head of the log")
    if summary["definition"] != count.election.hash.hex() or [c["contest"] for c in summary["contests"]] != list(
        count.election.contests
    ):
        raise FormatError("of another election, or of other contests")
    for row in summary["contests"]:
        own = _totals(count, row["contest"])
        if own is None:
            continue
        options = [option["id"] for option in count.election.contests[row["contest"]]["options"]]
        if row["votes"] != dict(zip(options, own["votes"], strict=True)):
            raise FormatError(f"votes of {row['contest']} are not what the log gives")
        for key in _UNIT:
            if row[key] != own[key]:
                raise FormatError(f"{key} of {row['contest']} is {row[key]}, and the log gives {own[key]}")


def results_hash(count: Count) -> bytes:
    """What a bulletin names: SHA-256 over results.csv of all contests, one after the other."""
    return hashlib.sha256(b"".join(results_csv(count, contest) for contest in count.election.contests)).digest()


def check_bulletin(payload: dict[str, Any], count: Count, root: bytes, where: str, report: Report) -> None:
    """A bulletin or certificate beside the count at its size."""
    report.require(payload["root"] == root, "bulletin", where, "its root is not the log's at its size")
    report.require(payload["results"] == results_hash(count), "bulletin", where, "it names other tables than the log gives")
    _check_contests(payload["contests"], count, "bulletin", where, report)


def check_snapshot(contests: list[dict[str, Any]], count: Count, where: str, report: Report) -> None:
    """The figures of a snapshot beside the count at its size, regions included ("History of a site")."""
    try:
        for contest in contests:
            totals = count.totals(contest["contest"])
            for unit, stated in contest["regions"].items():
                for key, figure in stated.items():
                    report.require(totals[unit][key] == figure, "history", where, f"region {unit}: {key} is {figure}")
            options = [option["id"] for option in count.election.contests[contest["contest"]]["options"]]
            report.require(list(contest["votes"]) == options, "history", where, "its options are not those of the ballot")
        rows = [contest | {"votes": list(contest["votes"].values())} for contest in contests]
        _check_contests(rows, count, "history", where, report)
    except BROKEN as error:
        report.add("history", where, f"it has not the figures of a snapshot: {error}")


def _check_contests(contests: list[dict[str, Any]], count: Count, check: str, where: str, report: Report) -> None:
    stated = {result["contest"]: result for result in contests}
    if not report.require(list(stated) == list(count.election.contests), check, where, "it has other contests"):
        return
    for contest, result in stated.items():
        own = _totals(count, contest)
        for key in BULLETIN if own is not None else []:
            if own is not None and result[key] != own[key]:
                report.add(check, where, f"{contest}: {key} is {result[key]}, and the log gives {own[key]}")
