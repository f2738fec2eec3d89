"""`call`: whether the outcome can still change, and what would change it."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final, cast, get_args

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scrutineer.calls import make_call
from scrutineer.calls.arithmetic import Need
from scrutineer.calls.call import ConditionCall
from scrutineer.calls.condition_words import in_votes, times, votes_text
from scrutineer.calls.picture import picture
from scrutineer.calls.report import CallReport, call_report, report_json
from scrutineer.calls.sentences import condition_sentence, explanations, names_of, sentence
from scrutineer.calls.track import track
from scrutineer.cli.call_inputs import Asked, RuleGiven, SettingsGiven, ask_folder, ask_published, ask_table
from scrutineer.cli.options import where_conditions
from scrutineer.cli.show import json_option, plain_console, print_json, progress_display
from scrutineer.election.contests import RuleName
from scrutineer.errors import UsageError
from scrutineer.language import ENGLISH

_CONDITIONS_SHOWN: Final = 12
_REGIONS_SHOWN: Final = 12
_MIXED: Final = "The stations counted here are therefore a mix from the whole file, not those that reported first."


@click.command("call")
@click.argument("where", metavar="DIR|FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--contest", "contest_id", metavar="ID", help="Call this contest only.")
@click.option("--unit", "unit_id", metavar="ID", help="Call it in this unit of the election in DIR.")
@click.option("--at", "size", type=click.IntRange(min=1), metavar="SIZE", help="At the first SIZE entries of the log in DIR.")
@click.option(
    "--counted",
    type=click.FloatRange(0, 100, min_open=True),
    metavar="PERCENT",
    help="As it was when so much of the stations that are counted now had arrived.",
)
@click.option("--layout", "layout_name", metavar="L", help="Read FILE by this layout, as `replay` does.")
@click.option("--where", "conditions", multiple=True, metavar="COLUMN=VALUE", help="Choose another contest of such a file.")
@click.option(
    "--baseline", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="CSV", help="An earlier election."
)
@click.option("--rule", type=click.Choice([r for r in get_args(RuleName) if r != "ranked"]), help="The rule, for a bare table.")
@click.option("--seats", type=click.IntRange(min=1), default=1, help="Places to fill, for a bare table.")
@click.option("--threshold", default="", metavar="SHARE", help="What a majority must exceed or a list needs, for a bare table.")
@click.option("--alternative", default="", metavar="SHARE,LEAD", help="A second way to win, such as '40 %,10 %'.")
@click.option("--recount", default="", metavar="SHARE", help="The law has a lead within this share recounted, for a bare table.")
@click.option("--risk", metavar="A", help="Greatest chance of a wrong verdict by statistics.")
@click.option("--gamma", metavar="G", help="Sensitivity to the order of reporting, 1 to 100.")
@click.option(
    "--strata", type=click.IntRange(min=0), metavar="DEPTH", help="Depth of the units that are compared with themselves."
)
@click.option("--extra-ballots", type=click.IntRange(min=0), metavar="N", help="Lawful ballots beyond a station's roll.")
@click.option("--suppose-committed", is_flag=True, help="For rehearsals: decide as if the settings had been committed to.")
@click.option(
    "--picture", "picture_file", type=click.Path(path_type=Path, dir_okay=False), metavar="SVG", help="Draw it to a file."
)
@json_option
def call_command(
    where: Path,
    contest_id: str | None,
    unit_id: str | None,
    size: int | None,
    counted: float | None,
    layout_name: str | None,
    conditions: tuple[str, ...],
    baseline: Path | None,
    rule: str | None,
    seats: int,
    threshold: str,
    alternative: str,
    recount: str,
    risk: str | None,
    gamma: str | None,
    strata: int | None,
    extra_ballots: int | None,
    suppose_committed: bool,
    picture_file: Path | None,
    as_json: bool,
) -> None:
    """Say whether the outcome of a partial count can still change, and what would change it.

    DIR is an election folder, whose log is counted. FILE is a published file that a layout reads (--layout), or a bare CSV with
    one line for each station: `station`, if known `roll`, `region` and `time` (when it reported), and one column of votes for
    each option.

    The verdict is one of four: not coherent (the figures cannot all be true), decided by arithmetic (no way of casting what is
    open can change it), decided by statistics (at the risk and sensitivity that were committed to before the first result), or
    not decided, with the reasons. Settings given here were not committed to, so that statistics decide nothing; for rehearsals
    and replays, --suppose-committed shows what they would decide. The exit status is 1 where figures are not coherent.
    """
    given = SettingsGiven(risk, gamma, strata, extra_ballots)
    with progress_display(as_json) as progress:
        if where.is_dir():
            _refuse({"--layout": layout_name, "--baseline": baseline, "--rule": rule}, "an election folder has its own")
            asked = ask_folder(where, contest_id, unit_id, size, given, progress)
        else:
            _refuse({"--unit": unit_id, "--at": size}, "a file has no log and no units: name an election folder")
            if layout_name is not None:
                _refuse({"--baseline": baseline, "--rule": rule}, "it is the layout that says what the file holds")
                asked = ask_published(where, layout_name, contest_id, where_conditions(conditions), given, progress)
            else:
                _refuse({"--where": conditions, "--contest": contest_id}, "a bare table has one contest")
                given_rule = RuleGiven(cast("RuleName", rule or "plurality"), seats, threshold, alternative, recount)
                asked = ask_table(where, baseline, given_rule, given, progress)
        reports = list(_reports(asked, counted, suppose=suppose_committed))
    if as_json:
        print_json([report_json(report) | {"source": own.source, "notes": list(own.notes)} for own, report in reports])
    else:
        for own, report in reports:
            _print(plain_console(), own, report)
    if picture_file is not None:
        _draw(reports, picture_file)
    if any(report.call.verdict == "not-coherent" for _, report in reports):
        raise click.exceptions.Exit(1)


def _reports(asked: list[Asked], counted: float | None, *, suppose: bool) -> Iterator[tuple[Asked, CallReport]]:
    for own in asked:
        partial = own.partial
        if counted is not None:
            partial = partial.first(int(partial.counted_stations * Fraction(counted) // 100))
            if not partial.ordered:
                own = replace(own, notes=(*own.notes, _MIXED))
        supposed = suppose and not own.committed
        committed = own.committed or supposed
        call = make_call(own.contest, partial, own.settings, committed=committed, unit=own.unit, incoherent=own.incoherent)
        call = replace(call, of_file=own.of_file, supposed=supposed)
        yield own, call_report(own.contest, partial, call)


def _refuse(options: dict[str, object], why: str) -> None:
    for name, value in options.items():
        if value not in (None, ()):
            raise UsageError(f"{name} cannot be used here: {why}")


def _draw(reports: list[tuple[Asked, CallReport]], file: Path) -> None:
    if len(reports) != 1:
        raise UsageError(f"--picture draws one contest, and there are {len(reports)}: name it with --contest")
    own, report = reports[0]
    file.write_text(picture(track(report.partial, own.contest.title, names_of(report.call, own.contest))), encoding="utf-8")


def _print(console: Console, own: Asked, report: CallReport) -> None:
    call, names = report.call, names_of(report.call, report.contest)
    console.print(Text.assemble((own.heading, "bold")), soft_wrap=True)
    console.print(own.source, soft_wrap=True)
    for note in own.notes:
        console.print(note, soft_wrap=True)
    console.print()
    console.print(sentence(call, report.contest), soft_wrap=True)
    for text in explanations(call, report.contest):
        console.print(f"  - {text}", soft_wrap=True)
    for text in call.incoherent:
        console.print(f"  - {text}", soft_wrap=True)
    console.print()
    if call.clauses or call.leads:
        console.print(_conditions_table(report, names))
    if report.estimate is not None:
        console.print(_estimates_table(report, names))
    if report.needs is not None and report.needs.overall.share_needed is not None:
        console.print(_needs_table(report, names))
    for line in _history(report, names):
        console.print(line, soft_wrap=True)
    console.print()


def _conditions_table(report: CallReport, names: tuple[str, ...]) -> Table:
    table = Table(title="What the verdict rests on", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Condition", overflow="fold")
    # Figures are never cut: where space is short, the words fold.
    for heading in ("Votes\nto spare", "Worst\ncase", "Flips at\ngamma", "Seen\ntonight"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    call = report.call
    shown = list(call.conditions)
    shown.sort(key=lambda condition: (condition.verdict == "arithmetic", in_votes(condition.condition, condition.value, names)))
    for condition in shown[:_CONDITIONS_SHOWN]:
        table.add_row(
            condition_sentence(condition.condition, names),
            votes_text(condition.condition, condition.value, names),
            "unknown" if condition.slack is None else votes_text(condition.condition, _worst(condition, condition.slack), names),
            *_sensitivity_cells(condition, ordered=call.ordered),
            {"arithmetic": "by arithmetic", "statistics": "by statistics"}.get(condition.verdict, "not decided"),
        )
    if len(shown) > _CONDITIONS_SHOWN:
        table.caption = f"and {len(shown) - _CONDITIONS_SHOWN:,} more (--json lists them)"
    return table


def _worst(condition: ConditionCall, slack: int) -> int:
    return slack + condition.condition.need


def _sensitivity_cells(condition: ConditionCall, *, ordered: bool) -> tuple[str, str]:
    found = condition.sensitivity
    if found is None:
        return "", ""
    seen = "not known" if not ordered else "beyond" if found.seen is None else times(found.seen)
    return "never" if found.flips_at is None else times(found.flips_at), seen


def _estimates_table(report: CallReport, names: tuple[str, ...]) -> Table:
    found = report.estimate
    if found is None:
        raise UsageError("there is no estimate to show: nothing is counted")
    level = ENGLISH.share(found.level)
    table = Table(title=f"Estimated final shares, intervals of {level}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Candidate", overflow="fold")
    for heading in ("Votes\ncounted", "Share\ncounted", "Low", "Estimate", "High"):
        table.add_column(heading, justify="right", no_wrap=True)
    totals = report.partial.totals
    whole = sum(totals) or 1
    for index in sorted(range(len(totals)), key=lambda index: -totals[index]):
        own = found.shares[index]
        table.add_row(
            names[index],
            f"{totals[index]:,}",
            f"{100 * totals[index] / whole:.2f}%",
            *(f"{100 * value:.2f}%" for value in (own.low, own.point, own.high)),
        )
    if found.by_stations:
        table.caption = "rolls are missing: stations stand in for voters"
    return table


def _needs_table(report: CallReport, names: tuple[str, ...]) -> Table:
    hanging, left = report.hanging, report.needs
    rival = names[hanging.condition.against] if hanging is not None and hanging.condition.against is not None else "the next"
    table = Table(title=f"What {rival} would need of what is left", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Region", overflow="fold")
    for heading in ("Open", "Voters\nthere", "Share\nso far", "Share\nneeded", "Odds,\ntimes"):
        table.add_column(heading, justify="right", no_wrap=True)
    if left is not None:
        order = sorted(left.strata, key=lambda need: -(need.open_capacity or need.open_stations))
        for need in [left.overall, *order[:_REGIONS_SHOWN]]:
            table.add_row(need.stratum or "Everywhere", *_need_cells(need))
        if len(order) > _REGIONS_SHOWN:
            table.caption = f"and {len(order) - _REGIONS_SHOWN:,} more regions (--json lists them)"
    return table


def _need_cells(need: Need) -> list[str]:
    return [
        f"{need.open_stations:,}",
        "unknown" if need.open_capacity is None else f"{need.open_capacity:,}",
        "" if need.share_counted is None else f"{100 * float(need.share_counted):.2f}%",
        "" if need.share_needed is None else "above all" if need.share_needed > 1 else f"{100 * float(need.share_needed):.2f}%",
        "" if need.odds_ratio is None else ENGLISH.decimal(need.odds_ratio),
    ]


def _history(report: CallReport, names: tuple[str, ...]) -> Iterator[str]:
    # Of one condition: the outcome may hang on others besides, which become certain at other counts.
    hanging, history, prospect = report.hanging, report.since, report.prospect
    if hanging is None:
        return
    what = condition_sentence(hanging.condition, names)
    if history is not None:
        yield f"Certain by arithmetic since {history.stations:,} stations were counted: {what}."
    elif prospect is not None and prospect.open_limit is not None:
        rest = "" if prospect.to_count is None else f", {prospect.to_count:,} fewer than now"
        limit = f"once at most {prospect.open_limit:,} ballots are open{rest}"
        yield f"With the counts as they are, certain by arithmetic {limit}: {what}."
