"""`replay`, `simulate` and `demo`: elections to try the whole path with, real and invented."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from scrutineer.cli.office import open_folder
from scrutineer.cli.options import where_conditions
from scrutineer.cli.replaying import Replayed, replay_published
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.cli.standings import print_standings, standing_json
from scrutineer.cli.statement_files import write_statements
from scrutineer.cli.verify_commands import print_report, report_json
from scrutineer.count import COUNTED, QUARANTINED, RULES
from scrutineer.election.layout import layouts, load_layout
from scrutineer.election.layout_reader import Published, read_published
from scrutineer.errors import UsageError

_PROBLEMS_SHOWN = 10


@click.command("replay")
@click.argument("file", metavar="FILE", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--layout", "layout_name", metavar="L", help="A layout's name, or the path of a layout file of your own.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder to write the election and the site to.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Choose another contest of a file that holds several.")
@click.option("--layouts", "list_them", is_flag=True, help="List the layouts that come with the program.")
@json_option
def replay_command(
    file: Path | None, layout_name: str | None, out: Path | None, where: tuple[str, ...], list_them: bool, as_json: bool
) -> None:
    """Put the polling-station results that somebody published in FILE through the whole path.

    Reads FILE by a layout, makes keys for the occasion, signs every row as a tally sheet, records it, counts, issues a
    bulletin, publishes DIR/site and verifies it. Every output says that the data were replayed, and who published them:
    nothing here was signed by that election's authority or stations.

    A layout is a short TOML file that says which column is what; a new country needs ten lines and no code.
    """
    if list_them:
        known = layouts()
        if as_json:
            print_json(known)
        for name, title in () if as_json else known.items():
            click.echo(f"{name:28} {title}")
        return
    if file is None or layout_name is None or out is None:
        raise UsageError("replay needs FILE, --layout and --out; `scrutineer replay --layouts` lists the layouts")
    if (out / "election").exists():
        raise UsageError(f"{out} holds a replay already: choose another folder, or remove it")
    with progress_display(as_json) as progress:
        layout = load_layout(layout_name)
        conditions = where_conditions(where)
        published = read_published(
            file, layout, where=conditions, progress=lambda done, total: progress("Reading the file", done, total)
        )
        replayed = replay_published(published, out, progress)
    if as_json:
        print_json(_replay_json(published, replayed))
    else:
        _print_replay(published, replayed)
    if not replayed.report.passed:
        raise click.exceptions.Exit(1)


@click.command("simulate")
@click.option("--stations", type=click.IntRange(1, 2_000_000), required=True, metavar="N", help="How many stations.")
@click.option("--seed", type=int, required=True, metavar="S", help="The same seed gives the same election.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write.")
@json_option
def simulate_command(stations: int, seed: int, out: Path, as_json: bool) -> None:
    """Make a synthetic election with known truth in DIR.

    Writes an opened election folder (DIR/election), every statement that its stations, observers and officers sign in the
    order of arrival (DIR/statements.bundle, ready for `submit`), and the truth that only a simulation knows
    (DIR/truth.json): what was voted, and which sheets were disturbed how.
    """
    from scrutineer.cli.demo import OFFICERS
    from scrutineer.simulate import sign_arrivals, simulate_republic

    if (out / "election").exists():
        raise UsageError(f"{out} holds an election already: choose another folder, or remove it")
    with progress_display(as_json) as progress:
        simulation = simulate_republic(stations, seed)
        office = open_folder(out / "election", simulation.draft(), officers=OFFICERS, progress=progress)
        total = simulation.arrival_count
        signed = sign_arrivals(simulation.sheets(office.election.hash), office.key_of)
        written = write_statements(out / "statements.bundle", _told(signed, "Signing", total, progress))
    (out / "truth.json").write_bytes(simulation.truth.to_json())
    if as_json:
        print_json({"definition": office.election.hash.hex(), "stations": stations, "statements": written})
        return
    click.echo(f"Simulated {stations:,} stations, {written:,} statements; the truth is in {out / 'truth.json'}.")
    click.echo(f"Next: scrutineer serve {out / 'election'}, and: scrutineer submit {out / 'statements.bundle'} --to URL")


@click.command("demo")
@click.option("--stations", type=click.IntRange(100, 2_000_000), default=30_000, show_default=True, metavar="N")
@click.option("--seed", type=int, default=2026, show_default=True, metavar="S")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True, metavar="DIR")
def demo_command(stations: int, seed: int, out: Path) -> None:
    """Count an invented republic from its stations' signed sheets to a result that is checked.

    Simulates the republic, signs every tally sheet with its station's key, sends them over HTTP to a real intake service on
    this machine, counts as they arrive, issues signed bulletins on the way, publishes the static site, verifies what was
    published, and prints the result.
    """
    from scrutineer.cli.demo import run_demo

    if not run_demo(stations, seed, out):
        raise click.exceptions.Exit(1)


def _told(statements: Iterator[bytes], what: str, total: int, progress: Progress) -> Iterator[bytes]:
    for done, statement in enumerate(statements, 1):
        if done % 1024 == 0:
            progress(what, done, total)
        yield statement


def _replay_json(published: Published, replayed: Replayed) -> dict[str, Any]:
    count = replayed.count
    return {
        "file": published.file,
        "sha256": published.sha256.hex(),
        "publisher": published.layout.publisher,
        "provenance": count.election.definition.provenance_sentence(),
        "definition": count.election.hash.hex(),
        "size": count.size,
        "rows": published.rows,
        "left_out": published.left_out,
        "problems": [str(problem) for problem in published.problems],
        "notes": len(published.notes),
        "contests": [standing_json(count, contest) | _all_sheets(count, contest) for contest in range(len(count.contests))],
        "site": str(replayed.site),
        "verify": report_json(replayed.report),
    }


def _all_sheets(count: Any, contest: int) -> dict[str, Any]:
    """Sums over every station's sheet, counted or in quarantine: what the publisher's own sums are."""
    state = count.contests[contest]
    shown = (state.status == COUNTED) | (state.status == QUARANTINED)
    figures = state.figures[shown]
    sums = [int(figures[:, column][figures[:, column] >= 0].sum()) for column in range(state.options)]
    rules = {rule.id: int((state.flags[shown] >> number & 1).sum()) for number, rule in enumerate(RULES)}
    return {
        "all_sheets": dict(zip([option.id for option in state.contest.options], sums, strict=True)),
        "rules": {rule: failed for rule, failed in rules.items() if failed},
    }


def _print_replay(published: Published, replayed: Replayed) -> None:
    print_standings(replayed.count, f"log size {replayed.count.size:,}")
    for contest in range(len(replayed.count.contests)):
        sheets = _all_sheets(replayed.count, contest)
        total = sum(sheets["all_sheets"].values())
        click.echo(f"All sheets, counted or in quarantine: {total:,} votes on options.")
        for rule, failed in sheets["rules"].items():
            click.echo(f"  {failed:,} sheet(s): rule {rule}")
    for problem in published.problems[:_PROBLEMS_SHOWN]:
        click.echo(f"  not read: {problem}")
    if len(published.problems) > _PROBLEMS_SHOWN:
        click.echo(f"  and {len(published.problems) - _PROBLEMS_SHOWN:,} more rows that could not be read (--json lists them)")
    print_report(replayed.report)
    click.echo(f"Open {replayed.site / 'index.html'}")
