"""`audit replay`: draw and compute again the audits that others published, from the files that they published."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from scrutineer.audits.cards.sources import Source, of_zip, opened
from scrutineer.audits.replay.arlo import replay_arlo
from scrutineer.audits.replay.arlo_files import ArloFiles, Names, kind_of, read_manifests, read_totals, read_universe
from scrutineer.audits.replay.arlo_model import ArloReport
from scrutineer.audits.replay.arlo_report import read_report
from scrutineer.audits.replay.checks import Check, Replay, Verdict
from scrutineer.audits.replay.colorado import replay_colorado
from scrutineer.audits.replay.colorado_files import read_files
from scrutineer.audits.replay.reading import MOST_BYTES
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.errors import AuditError, UsageError

_MOST_FILES: Final = 20_000
_TABLES: Final = (".csv", ".txt", ".tsv")
_SHOWN: Final = 10  # differences of one check that people get to see
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PATHS = click.argument("paths", metavar="FILE|FOLDER|ZIP...", nargs=-1, type=click.Path(path_type=Path, exists=True))
_ALL = click.option("--all", "every", is_flag=True, help="Fail also where something could not be computed.")
_WORDS: Final = {
    Verdict.AGREES: "Agrees",
    Verdict.DIFFERS: "Differs",
    Verdict.NOT_COMPUTED: "Could not be computed",
}


@click.group("replay")
def replay_command() -> None:
    """Draw and compute again an audit that somebody else published, and say what agrees.

    Exit status 0 where all that could be computed agrees, 1 where something differs, 2 where the files cannot be used.
    """


@replay_command.command("arlo")
@click.argument("report", metavar="REPORT", type=_FILE)
@_PATHS
@click.option("--names", type=_FILE, metavar="CSV", help="Which file is whose: columns File and Jurisdiction.")
@_ALL
@json_option
def arlo_command(report: Path, paths: tuple[Path, ...], names: Path | None, every: bool, as_json: bool) -> None:
    """Replay an audit that was held with VotingWorks' Arlo.

    REPORT is the audit report that Arlo exports. After it come the ballot manifests, the candidate totals by batch and the file
    of standardized contests, as far as they were published: files, folders or zips, in any order; their columns say what they
    are. Without them the ticket numbers are checked alone, and the risks that the report is enough for.
    """
    with progress_display(as_json) as progress:
        read = read_report(report.name, _small(report))
        files, unread = _arlo_files(read, list(_files(paths, progress)), names)
        found = replay_arlo(read, files, progress)
        found = replace(found, notes=found.notes + unread)
    _show(found, as_json=as_json, every=every)


@replay_command.command("colorado")
@_PATHS
@click.option("--seed", default="", metavar="DIGITS", help="The seed, where no file has it.")
@_ALL
@json_option
def colorado_command(paths: tuple[Path, ...], seed: str, every: bool, as_json: bool) -> None:
    """Replay an audit of Colorado's from the files of its audit centre.

    Give the seed, the lists of contests (contest.csv), which contests are held where (contestsByCounty.csv), the counties'
    manifests, and the selections and comparisons: files, folders or zips, in any order; their columns say what they are.
    """
    if not paths:
        raise UsageError("give the files of the audit centre, or the folder that they lie in")
    with progress_display(as_json) as progress:
        found = replay_colorado(read_files(list(_files(paths, progress)), seed), paths[0].name, progress)
    _show(found, as_json=as_json, every=every)


def _arlo_files(report: ArloReport, files: Sequence[tuple[str, bytes]], listed: Path | None) -> tuple[ArloFiles, tuple[str, ...]]:
    """What was published beside a report, and what could not be read of it. Raises AuditError as the readers do."""
    by_kind: dict[str, list[tuple[str, bytes]]] = {"manifest": [], "totals": [], "contests": [], "names": []}
    unread = []
    for path, data in files:
        try:
            by_kind[kind_of(path, data)].append((path, data))
        except AuditError as error:
            if "/" not in path:
                raise  # it was named; what lies in a folder or zip may be something else, and is said
            unread.append(str(error))
    known = {row.jurisdiction for row in report.batches} | {row.jurisdiction for row in report.ballots}
    names = Names(tuple(sorted(known)))
    if listed is not None:
        by_kind["names"] = [(listed.name, _small(listed))]
    if by_kind["names"]:
        names = Names.of_list(*by_kind["names"][0], known, [path for path, _ in files])
    made = ArloFiles(read_manifests(by_kind["manifest"], names), read_totals(by_kind["totals"], names))
    if len(by_kind["contests"]) > 1 or len(by_kind["names"]) > 1:
        raise UsageError("two files say which contests or jurisdictions there are; give one of each")
    if by_kind["contests"]:
        made = replace(made, universe=read_universe(*by_kind["contests"][0], made.jurisdictions))
    return made, tuple(f"Not read: {error}." for error in unread)


def _small(path: Path) -> bytes:
    _no_spreadsheet(path)
    with opened(path) as sources:
        if len(sources) != 1:
            raise UsageError(f"{path} holds {len(sources)} files; give the one that is meant, unpacked")
        return sources[0].small(MOST_BYTES)


def _no_spreadsheet(path: Path) -> None:
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise UsageError(f"{path} is a spreadsheet: save its table as CSV in UTF-8, and give that")


def _files(paths: Sequence[Path], progress: Progress) -> Iterator[tuple[str, bytes]]:
    """The tables at some paths, each once, with its path. An archive in an archive is opened, as Arlo packs its bundles so."""
    seen: set[str] = set()
    for path in paths:
        _no_spreadsheet(path)
        with opened(path) as sources:
            for done, source in enumerate(sources):
                progress("Reading files", done, len(sources))
                for name, read in _tables(path, source):
                    if name in seen:
                        raise UsageError(f"{name} is given twice; give each file once")
                    seen.add(name)
                    if len(seen) > _MOST_FILES:
                        raise UsageError(f"more than {_MOST_FILES} files; give those of one audit")
                    yield name, read()


def _tables(path: Path, source: Source) -> Iterator[tuple[str, Callable[[], bytes]]]:
    name = source.name if path.name == source.name else f"{path.name}/{source.name}"
    if source.name.lower().endswith(".zip"):
        try:
            with zipfile.ZipFile(io.BytesIO(source.small(MOST_BYTES))) as archive:
                for member in of_zip(archive, name):
                    if member.name.lower().endswith(_TABLES):
                        data = member.small(MOST_BYTES)
                        yield f"{name}/{member.name}", lambda data=data: data  # type: ignore[misc]
        except zipfile.BadZipFile as error:
            raise AuditError(f"{name}: cannot be unpacked ({error}); ask for it anew") from error
    elif (source.name.lower().endswith(_TABLES) or path.is_file()) and "sha256" not in source.name.lower():
        yield name, lambda: source.small(MOST_BYTES)


def _show(replay: Replay, *, as_json: bool, every: bool) -> None:
    if as_json:
        print_json(_json(replay))
    else:
        _print(replay)
    missing = every and bool(replay.of(Verdict.NOT_COMPUTED))
    if missing or not replay.agrees:
        raise click.exceptions.Exit(1)


def _print(replay: Replay) -> None:
    click.echo(f"{replay.audit or 'Audit'}: {replay.kind}, seed {replay.seed or 'not given'}")
    for note in replay.notes:
        click.echo(f"  {note}")
    for verdict in (Verdict.AGREES, Verdict.DIFFERS):
        if checks := replay.of(verdict):
            click.echo(f"{_WORDS[verdict]}:")
            for check in checks:
                click.echo(f"  {_line(check)}")
                for difference in check.differences[:_SHOWN]:
                    click.echo(f"    {difference}")
                if check.differing > _SHOWN:
                    click.echo(f"    and {check.differing - _SHOWN:,} more; --json lists them")
    reasons: dict[tuple[str, str], list[Check]] = {}
    for check in replay.of(Verdict.NOT_COMPUTED):
        reasons.setdefault((check.subject, check.reason), []).append(check)
    if reasons:
        click.echo(f"{_WORDS[Verdict.NOT_COMPUTED]}:")
    for (_, reason), missing in reasons.items():
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        click.echo(f"  {_line(missing[0])}{more}: {reason}")
    click.echo(_summary(replay))


def _line(check: Check) -> str:
    words = check.subject
    if check.contest:
        words += f", {check.contest}"
    if check.round:
        words += f", round {check.round}"
    if check.verdict is Verdict.NOT_COMPUTED:
        return words
    if check.again and check.verdict is Verdict.AGREES:
        return f"{words}: {check.again}" + ("" if check.again == check.published else f", published {check.published}")
    return f"{words}: {check.compared - check.differing:,} of {check.compared:,}" if check.compared > 1 else words


def _summary(replay: Replay) -> str:
    """One line: how many figures were compared."""
    done = sum(check.compared for check in replay.checks)
    differing = sum(min(check.differing, check.compared) for check in replay.checks)
    missing = len(replay.of(Verdict.NOT_COMPUTED))
    words = f"{done:,} figures computed again: {done - differing:,} agree"
    words += f", {differing:,} differ" if differing else ", none differs"
    return f"{words}; {missing:,} could not be computed." if missing else f"{words}."


def _json(replay: Replay) -> dict[str, Any]:
    return {
        "audit": replay.audit,
        "kind": replay.kind,
        "seed": replay.seed,
        "agrees": replay.agrees,
        "notes": list(replay.notes),
        "checks": [
            {
                "subject": check.subject,
                "contest": check.contest,
                "round": check.round,
                "verdict": check.verdict.value,
                "compared": check.compared,
                "differing": check.differing,
                "differences": list(check.differences),
                "published": check.published,
                "again": check.again,
                "reason": check.reason,
            }
            for check in replay.checks
        ],
    }
