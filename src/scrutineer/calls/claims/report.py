"""An examination as lines of text for people, and for programs as what JSON can hold; exact numbers are texts as '1/7197'."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.answers import QUESTIONS, Answer
from scrutineer.calls.claims.claim_file import COUNTS, PERCENTS, TEXTS
from scrutineer.calls.claims.examine import Between, Examination, Examined
from scrutineer.language import Phrase

MARKS: Final = {
    "fits": "no objection",
    "contradiction": "CANNOT BE",
    "stands-out": "stands out",
    "decided": "decided",
    "not-decided": "not decided",
    "unknown": "not known",
}
CAUTION: Final = Phrase(
    "This is arithmetic on announced figures. It takes no side, and says of nobody what they did or meant. "
    "Figures that agree can be wrong, and figures that do not can have an innocent reason."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report: how far it is indented, and whether it is a heading."""

    text: str
    depth: int = 0
    heading: bool = False


def heading(announcement: Announcement) -> str:
    """What an announcement is called in a report."""
    contest = f", {announcement.contest}" if announcement.contest else ""
    unit = f" in {announcement.unit}" if announcement.unit else ""
    return f"{announcement.who}, {announcement.when}{contest}{unit}"


def table(announcement: Announcement) -> tuple[tuple[str, str, str], ...]:
    """What was announced, as rows of name, votes and percentage; empty where a figure was not announced."""
    rows = [(figure.name, _count(figure.votes), _text(figure.percent)) for figure in announcement.figures]
    percents = {"valid": "percent_of_valid", "blank": "percent_of_blank", "null": "percent_of_null", "cast": "turnout_percent"}
    names = {"valid": "valid", "blank": "blank", "null": "null", "cast": "cast (turnout)", "roll": "roll"}
    for field, name in names.items():
        percent = getattr(announcement, percents[field]) if field in percents else None
        if getattr(announcement, field) is not None or percent is not None:
            rows.append((name, _count(getattr(announcement, field)), _text(percent)))
    sheets = (announcement.stations_counted, announcement.stations)
    if any(number is not None for number in (*sheets, announcement.counted_percent)):
        of = " of ".join(_count(number) or "?" for number in sheets) if sheets != (None, None) else ""
        rows.append(("sheets counted", of, _text(announcement.counted_percent)))
    return tuple(rows)


def lines(examination: Examination, *, arithmetic: bool = True) -> Iterator[Line]:
    """The report line by line, without the tables of what was announced."""
    for examined in examination.examined:
        yield Line(heading(examined.announcement), heading=True)
        yield Line(f"Source: {examined.announcement.source}")
        for answer in examined.answers:
            yield from answer_lines(answer, arithmetic=arithmetic)
    for between in examination.between:
        yield Line(title(examination, between), heading=True)
        yield from answer_lines(between.answer, arithmetic=arithmetic)
    yield Line(CAUTION)


def title(examination: Examination, between: Between) -> str:
    """What two announcements held against each other are called in a report."""
    earlier, later = (examination.examined[number].announcement for number in (between.earlier, between.later))
    return f"From {heading(earlier)} to {heading(later)}"


def answer_lines(answer: Answer, *, arithmetic: bool = True) -> Iterator[Line]:
    """One question with its answer; findings that ask for an explanation always show all of it."""
    yield Line(f"{QUESTIONS[answer.question]} [{MARKS[answer.status]}]", 1, heading=True)
    yield Line(answer.sentence, 2)
    if arithmetic or answer.flagged:
        for text in answer.arithmetic:
            yield Line(text, 3)
        yield Line(f"Can show: {answer.shows}", 2)
        yield Line(f"Cannot show: {answer.cannot}", 2)
        yield Line(f"Would settle it: {answer.settles}", 2)
    if answer.explanations:
        yield Line("Innocent explanations:", 2)
        for text in answer.explanations:
            yield Line(text, 3)


def as_json(examination: Examination) -> dict[str, Any]:
    """The examination for programs."""
    return {
        "contradicts": examination.contradicts,
        "flagged": len(examination.flagged),
        "level": str(examination.level),
        "announcements": [_examined(row) for row in examination.examined],
        "between": [_between(row) for row in examination.between],
        "caution": CAUTION,
    }


def _examined(row: Examined) -> dict[str, Any]:
    found, lead, held = row.computed, row.still_open, row.record
    return {
        "announcement": announcement_json(row.announcement),
        "answers": [_answer(answer) for answer in row.answers],
        "tests": [{"name": test.name, "chance": str(test.chance), "adjusted": str(test.adjusted)} for test in row.tests],
        "fits": [
            {"base": fit.base, "rule": fit.rule, "lowest": fit.totals.low, "highest": fit.totals.high}
            for fit in row.agreement.fits
            if fit.fits
        ],
        "computed": None
        if found is None
        else {
            "matches": found.matches,
            "totals": [found.matching.low, found.matching.high] if found.matching else None,
            "possible": found.possible,
            "chance": str(found.chance),
            "chance_any_total": str(found.chance_any_total),
        },
        "lead": None
        if lead is None
        else {
            "leader": lead.leader,
            "rival": lead.rival,
            "lead": lead.lead,
            "total": lead.total,
            "verdict": lead.verdict,
            "given": lead.given,
            "reasons": list(lead.reasons),
            "outstanding_equal": _exact(lead.outstanding_equal),
            "uncounted_roll": lead.uncounted_roll,
            "band": _exact(lead.band),
            "needed": None if lead.equal_need is None else _exact(lead.equal_need.with_others),
            "odds_ratio": None if lead.equal_need is None else _exact(lead.equal_need.odds_ratio),
        },
        "record": None
        if held is None
        else {
            "source": held.source,
            "sheets": held.sheets,
            "stations": held.moment.stations,
            "announced_sheets": [held.moment.least, held.moment.most] if held.moment.stations is not None else None,
            "fits": held.fits,
            "compared": [
                {
                    "kind": compared.kind,
                    "name": compared.name,
                    "announced": compared.announced,
                    "counted": compared.counted,
                    "difference": compared.difference,
                    "lowest": compared.low,
                    "highest": compared.high,
                    "needed": None if compared.needed is None else list(compared.needed),
                }
                for compared in held.compared
            ],
        },
    }


def _between(row: Between) -> dict[str, Any]:
    added = [
        {"name": option.name, "lowest": option.votes.low, "highest": option.votes.high, "share": _exact(row.reach.share(option))}
        for option in row.reach.options
    ]
    return {
        "earlier": row.earlier,
        "later": row.later,
        "reachable": row.reach.reachable,
        "reachable_at_equal_sheets": row.reach.reachable_at_equal_sheets,
        "added": added,
        "added_total": [row.reach.total_added.low, row.reach.total_added.high],
        "ratio": _exact(row.reach.ratio),
        "answer": _answer(row.answer),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question,
        "status": answer.status,
        "sentence": answer.sentence,
        "arithmetic": list(answer.arithmetic),
        "shows": answer.shows,
        "cannot": answer.cannot,
        "settles": answer.settles,
        "explanations": list(answer.explanations),
    }


def announcement_json(announcement: Announcement) -> dict[str, Any]:
    """An announcement with the keys of the file; what was not announced is null."""
    return {
        **{key: getattr(announcement, field) for field, key in TEXTS},
        "contest": announcement.contest,
        "unit": announcement.unit,
        "base": announcement.base,
        "rounding": announcement.rounding,
        **{key: getattr(announcement, key) for key in COUNTS},
        **{key: _text(getattr(announcement, field)) or None for field, key in PERCENTS},
        "figures": [
            {
                "name": figure.name,
                "option": figure.option,
                "votes": figure.votes,
                "percent": _text(figure.percent) or None,
                "others": figure.others,
            }
            for figure in announcement.figures
        ],
    }


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _text(percent: object) -> str:
    return "" if percent is None else str(percent)


def _exact(number: Fraction | None) -> str | None:
    return None if number is None else str(number)
