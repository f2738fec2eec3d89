"""Is the lead beyond reach? What the announced figures alone say: certain, impossible to say, and what the rival would need."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Final, Literal

from scrutineer.calls.call import Reason, Verdict
from scrutineer.calls.claims.agreement import counted_span
from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.totals import Origin, valid_total
from scrutineer.errors import CallError

Given = Literal["nothing-open", "whole-roll", "equal-roll"]
"""What a verdict by arithmetic rests on besides the announced counts: that all sheets are counted; that nobody votes who is not
on the roll; that the stations still open have their equal part of the roll."""

RECOUNT_BAND: Final = Fraction(1, 1000)
"""Leads of up to this share of the votes may be changed by a recount (FairVote's recommendation for an automatic one)."""
MEAN_RECOUNT_SHIFT: Final = Fraction(3, 10_000)
"""How far statewide recounts in the United States moved the margin on average, 2000 to 2023 (FairVote), as a share of votes."""
TURNOUTS: Final = tuple(Fraction(percent, 100) for percent in (40, 50, 60, 70, 80, 90, 100))
SHEET_SPREAD: Final = 0.20
"""Standard deviation of an option's share between tally sheets that the sampling figure assumes."""


@dataclass(frozen=True, slots=True)
class Need:
    """What the rival needs of a number of outstanding votes to draw level."""

    outstanding: Fraction
    """Votes; or, from percentages alone, in units of the votes counted."""
    turnout: Fraction | None
    """Outstanding votes as a share of the outstanding roll, where that is known."""
    alone: Fraction
    """The rival's share if all outstanding votes are for the two; above 1 where they do not suffice."""
    with_others: Fraction
    """The rival's share if others keep the share they have of the counted votes."""
    possible: bool
    """Whether the outstanding votes exceed the lead, so that the order can still change."""
    odds_ratio_alone: Fraction | None
    """Odds of rival against leader among the outstanding votes, in units of those among the counted; None where infinite."""
    odds_ratio: Fraction | None
    """The same with others at their share."""


@dataclass(frozen=True, slots=True)
class StillOpen:
    """The lead of an announcement against what was still to be counted. Fractions are exact; `z` alone is statistics."""

    leader: str
    rival: str
    lead: int
    total: int
    """Valid votes taken as counted: the least that the figures allow, see `total_origin`."""
    total_origin: Origin
    roll: int | None
    counted: Fraction | None
    """The share of sheets counted, as its digits stand."""
    outstanding_equal: Fraction | None
    """Outstanding votes if every sheet holds as many: total x (1 - counted) / counted."""
    outstanding_equal_range: tuple[Fraction, Fraction] | None
    """The same over all shares of sheets that print as announced: least and most."""
    outstanding_roll: Fraction | None
    """Registered voters of the outstanding sheets if rolls are alike."""
    outstanding_roll_most: Fraction | None
    """The same at the smallest share of sheets that prints as announced."""
    uncounted_roll: int | None
    """All registered voters who are not among the cast or valid votes announced: nobody can add more."""
    turnout_counted: Fraction | None
    """Valid votes as a share of the counted sheets' part of the roll."""
    turnout_to_reverse: Fraction | None
    """The turnout of the outstanding part of the roll from which a reversal is possible; above 1 where it is not."""
    sheets_open: Fraction | None
    mean_to_hold: Fraction | None
    """The lead stands as long as the outstanding sheets hold fewer votes than this on average."""
    equal_need: Need | None
    """For outstanding votes at as many a sheet."""
    needs: tuple[Need, ...]
    """For each turnout of the outstanding part of the roll."""
    whole_need: Need | None
    """If everybody on the roll who was not counted votes."""
    z: float | None
    """How many standard errors off the needed share is, if the outstanding sheets were a random sample; see `still_open`."""
    band: Fraction
    """Leads up to this many votes lie within the recount band."""
    lead_share: Fraction
    """The lead as a share of the valid votes."""
    verdict: Verdict
    given: Given | None
    reasons: tuple[Reason, ...]

    @property
    def reversal_votes(self) -> int:
        """The fewest outstanding votes with which the order can change."""
        return self.lead + 1

    @property
    def lead_in_recount_shifts(self) -> Fraction:
        """The lead in units of the average shift of a recount."""
        return self.lead_share / MEAN_RECOUNT_SHIFT


def still_open(
    announcement: Announcement,
    *,
    band: Fraction = Fraction(0),
    turnouts: Sequence[Fraction] = TURNOUTS,
    sheet_spread: float = SHEET_SPREAD,
) -> StillOpen | None:
    """Judge the lead of an announcement on its own figures; None where fewer than two options have votes.

    By arithmetic the order stands if the lead exceeds what can still be cast: nothing where all sheets are counted; everybody on
    the roll who was not counted; or, given that stations have rolls alike, their part of the roll at the smallest share of sheets
    that prints as announced. An estimate of turnout never enters. `band` is the share of votes within which the law recounts.
    The sampling figure z is printed beside the odds ratio, to show how much hangs on the assumption of random order: needed minus
    counted share of the rival, over spread x sqrt((1 - m/n) / m) for m of n sheets drawn without replacement, with the counted
    share taken for that of all sheets. Where it is taken as the sample that it is, the divisor is spread x sqrt(1/m + 1/(n - m)).
    Raises CallError for a band or turnout outside 0 to 1.
    """
    if not 0 <= band <= 1 or any(not 0 < turnout <= 1 for turnout in turnouts):
        raise CallError("band and turnouts are shares: give the band from 0 to 1, turnouts above 0 and at most 1")
    ranked = sorted(
        ((figure.votes, figure.name) for figure in announcement.named if figure.votes is not None), key=lambda row: -row[0]
    )
    if len(ranked) < 2:
        return None
    (first, leader), (second, rival) = ranked[:2]
    behind = valid_total(announcement)
    total = max(behind.span.low, first + second, 1)
    lead, others = first - second, Fraction(max(0, total - first - second), total)
    roll, counted, span = announcement.roll, announcement.counted_share, counted_span(announcement, announcement.rounding)

    def need(outstanding: Fraction, turnout: Fraction | None) -> Need | None:
        return _need(outstanding, turnout, others, Fraction(first), Fraction(second), lead + 1) if outstanding > 0 else None

    equal = equal_range = open_roll = open_roll_most = turnout_counted = turnout_reverse = None
    if counted is not None and span is not None and span[0] > 0 and counted > 0:
        equal = total * max(Fraction(0), 1 - counted) / counted
        equal_range = (total * max(Fraction(0), 1 - span[1]) / span[1], total * max(Fraction(0), 1 - span[0]) / span[0])
    if counted is not None and span is not None and roll is not None:
        open_roll, open_roll_most = roll * max(Fraction(0), 1 - counted), roll * max(Fraction(0), 1 - span[0])
        turnout_counted = total / (roll * counted) if counted > 0 else None
        turnout_reverse = (lead + 1) / open_roll if open_roll > 0 else None
    uncounted = None if roll is None else max(0, roll - max(total, announcement.cast or 0))
    sheets = None if announcement.stations is None or counted is None else announcement.stations * max(Fraction(0), 1 - counted)
    equal_need = need(equal, equal / open_roll if open_roll else None) if equal is not None else None
    least = max(first + second, valid_total(announcement, safe=True).span.low, announcement.cast or 0)
    left = None if roll is None else max(0, roll - least)
    verdict, given, reasons = _verdict(lead, counted, equal_range, open_roll_most, left, max(band, RECOUNT_BAND) * total)
    return StillOpen(
        leader=leader,
        rival=rival,
        lead=lead,
        total=total,
        total_origin=behind.origin,
        roll=roll,
        counted=counted,
        outstanding_equal=equal,
        outstanding_equal_range=equal_range,
        outstanding_roll=open_roll,
        outstanding_roll_most=open_roll_most,
        uncounted_roll=uncounted,
        turnout_counted=turnout_counted,
        turnout_to_reverse=turnout_reverse,
        sheets_open=sheets,
        mean_to_hold=lead / sheets if sheets else None,
        equal_need=equal_need,
        needs=tuple(row for turnout in turnouts if open_roll and (row := need(turnout * open_roll, turnout)) is not None),
        whole_need=need(Fraction(uncounted), None) if uncounted is not None else None,
        z=_z(equal_need, Fraction(second, total), sheets, announcement.stations, sheet_spread),
        band=max(band, RECOUNT_BAND) * total,
        lead_share=Fraction(lead, total),
        verdict=verdict,
        given=given,
        reasons=reasons,
    )


def need_from_percentages(announcement: Announcement) -> Need | None:
    """What the rival needs where only percentages were announced, if every sheet holds as many votes; None where they do not say.

    Counted votes are the unit: (1 - counted) / counted of them are outstanding, and the lead is the difference of the percentages
    as they stand. It holds for shares of the valid votes, or of another base if that has grown as the valid votes have.
    """
    shares = sorted((figure.percent.share for figure in announcement.named if figure.percent is not None), reverse=True)
    counted = announcement.counted_share
    if len(shares) < 2 or counted is None or not 0 < counted < 1 or shares[0] + shares[1] > 1:
        return None
    outstanding = (1 - counted) / counted
    return _need(outstanding, None, 1 - shares[0] - shares[1], shares[0], shares[1], shares[0] - shares[1])


def _need(
    outstanding: Fraction, turnout: Fraction | None, others: Fraction, first: Fraction, second: Fraction, reversal: Fraction | int
) -> Need:
    gain = (first - second) / outstanding
    alone, with_others = (1 + gain) / 2, (1 - others + gain) / 2

    def ratio(rival: Fraction, leader: Fraction) -> Fraction | None:
        return rival / leader * first / second if leader > 0 and second else None

    return Need(
        outstanding=outstanding,
        turnout=turnout,
        alone=alone,
        with_others=with_others,
        possible=outstanding >= reversal,
        odds_ratio_alone=ratio(alone, 1 - alone),
        odds_ratio=ratio(with_others, 1 - others - with_others),
    )


def _verdict(
    lead: int,
    counted: Fraction | None,
    equal_range: tuple[Fraction, Fraction] | None,
    open_roll_most: Fraction | None,
    uncounted: int | None,
    band: Fraction,
) -> tuple[Verdict, Given | None, tuple[Reason, ...]]:
    reasons: list[Reason] = []
    given: Given | None = None
    if counted == 1:
        given = "nothing-open"
    elif uncounted is not None and lead > uncounted:
        given = "whole-roll"
    elif open_roll_most is not None and lead > open_roll_most:
        given = "equal-roll"
    elif uncounted is None and (equal_range is None or lead > equal_range[1]):
        # More votes on the sheets still open than on the others cannot be bounded without the roll.
        reasons.append("inputs")
    else:
        reasons.append("outstanding-exceeds-lead")
    if lead <= band:
        reasons.append("recount-band")
    return ("not-decided", None, tuple(reasons)) if reasons else ("arithmetic", given, ())


def _z(need: Need | None, share: Fraction, sheets: Fraction | None, stations: int | None, spread: float) -> float | None:
    if need is None or not sheets or stations is None or spread <= 0 or sheets >= stations:
        return None
    return float(need.with_others - share) / (spread * sqrt(float((1 - sheets / stations) / sheets)))
