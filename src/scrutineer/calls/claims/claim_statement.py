"""A claim in the log and the announcement that it quotes: the same fields, converted both ways."""

from typing import Any, Final

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.claim_file import COUNTS, PERCENTS, TEXTS
from scrutineer.calls.claims.percent import Percent
from scrutineer.statements import Claim, ClaimedFigure

_SAME: Final = ("contest", "unit", "base", "rounding", *COUNTS)
"""Fields that have the same name and value in both."""


def to_statement(announcement: Announcement, election: bytes) -> Claim:
    """The payload that quotes an announcement in the log of an election.

    Raises StatementError where the statement cannot hold it (see the limits of `Claim`); its contest, unit and options must be
    ids of the definition, which the policy checks.
    """
    fields: dict[str, Any] = {key: getattr(announcement, key) for key in _SAME}
    fields |= {key: getattr(announcement, field) for field, key in TEXTS}
    fields |= {key: _text(getattr(announcement, field)) for field, key in PERCENTS}
    return Claim(election=election, figures=tuple(_claimed(figure) for figure in announcement.figures), **fields)


def from_statement(claim: Claim) -> Announcement:
    """The announcement that a claim quotes. Raises CallError where it cannot be one."""
    fields: dict[str, Any] = {key: getattr(claim, key) for key in _SAME}
    fields |= {field: getattr(claim, key) for field, key in TEXTS}
    fields |= {field: _percent(getattr(claim, key)) for field, key in PERCENTS}
    return Announcement(figures=tuple(_figure(figure) for figure in claim.figures), **fields)


def _claimed(figure: Figure) -> ClaimedFigure:
    return ClaimedFigure(
        name=figure.name, option=figure.option, votes=figure.votes, percent=_text(figure.percent), others=figure.others
    )


def _figure(figure: ClaimedFigure) -> Figure:
    return Figure(figure.name, figure.votes, _percent(figure.percent), figure.others, figure.option)


def _text(percent: Percent | None) -> str:
    return "" if percent is None else percent.text


def _percent(text: str) -> Percent | None:
    return Percent(text) if text else None
