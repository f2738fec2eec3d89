"""Contests as they stand: as tables for people, as JSON for programs."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from scrutineer.cli.show import plain_console
from scrutineer.count import Count, Standing, standing, unit_result
from scrutineer.count.results import UnitResult
from scrutineer.election.contests import LIST_RULES
from scrutineer.language import ENGLISH
from scrutineer.portal.words import change, headline


def print_standings(count: Count, heading: str, contests: Sequence[int] | None = None) -> None:
    """Contests as they stand (all, unless some are named), with progress, outcome and bound."""
    console = plain_console()
    console.print(Text.assemble((count.election.definition.name, "bold"), f"  {heading}"), soft_wrap=True)
    console.print(count.election.definition.provenance_sentence(), soft_wrap=True)
    for number in range(len(count.contests)) if contests is None else contests:
        now = standing(count, number)
        console.print()
        console.print(_table(now))
        console.print(_progress_line(now.result), soft_wrap=True)
        console.print(headline(ENGLISH, now), soft_wrap=True)
        chance = change(ENGLISH, now, count.election.definition.provenance)
        console.print(f"Can it still change? {chance.sentence}", soft_wrap=True)


def _table(now: Standing) -> Table:
    result = now.result
    table = Table(title=now.contest.title, title_justify="left")
    table.add_column("Candidate" if now.contest.rule not in LIST_RULES else "List")
    table.add_column("Votes", justify="right")
    table.add_column("Share", justify="right")
    if now.contest.rule in LIST_RULES:
        table.add_column("Seats", justify="right")
    whole = sum(now.candidate_votes) or 1
    order = sorted(range(len(now.candidate_votes)), key=lambda index: -now.candidate_votes[index])
    names = [candidate.name for candidate in now.contest.standing()]
    for index in order:
        votes = now.candidate_votes[index]
        row = [names[index], f"{votes:,}", f"{100 * votes / whole:.2f} %"]
        if now.contest.rule in LIST_RULES:
            row.append(str(now.outcome.seats[index]))
        table.add_row(*row)
    for name, figure in (("Blank", result.blank), ("Null", result.null)):
        table.add_row(name, "not stated" if figure is None else f"{figure:,}", "", style="dim")
    return table


def _progress_line(result: UnitResult) -> str:
    parts = [f"{result.counted:,} of {result.stations:,} stations counted"]
    for number, what in (
        (result.outstanding, "outstanding"),
        (result.quarantined, "in quarantine"),
        (result.excluded, "excluded"),
    ):
        if number:
            parts.append(f"{number:,} {what}")
    return ", ".join(parts)


def unit_json(count: Count, contest: int, unit: int) -> dict[str, Any]:
    """Totals of one unit for programs; null is unknown."""
    units, result = count.election.units, unit_result(count, contest, unit)
    options = count.election.contests[contest].options
    return {
        "unit": units.ids[unit],
        "name": units.names[unit],
        "kind": units.kinds[unit],
        "stations": result.stations,
        "counted": result.counted,
        "quarantined": result.quarantined,
        "excluded": result.excluded,
        "outstanding": result.outstanding,
        "roll": result.roll,
        "ballots": result.ballots,
        "blank": result.blank,
        "null": result.null,
        "votes": {option.id: votes for option, votes in zip(options, result.votes, strict=True)},
    }


def standing_json(count: Count, contest: int) -> dict[str, Any]:
    """One contest as it stands, for programs."""
    now = standing(count, contest)
    names = [candidate.id for candidate in now.contest.standing()]
    return {
        "contest": now.contest.id,
        "rule": now.contest.rule,
        **unit_json(count, contest, count.contests[contest].unit),
        "candidates": dict(zip(names, now.candidate_votes, strict=True)),
        "elected": [names[index] for index in now.outcome.elected],
        "seats": dict(zip(names, now.outcome.seats, strict=True)) if now.outcome.seats else None,
        "runoff": [names[index] for index in now.outcome.runoff],
        "tied": [names[index] for index in now.outcome.tied],
        "margin": now.outcome.margin,
        "open_ballots": now.result.open_ballots,
        "changeable": now.bound.changeable,
        "bound_exact": now.bound.exact,
        "bound_slack": now.bound.slack,
        "binding": now.bound.binding,
    }
