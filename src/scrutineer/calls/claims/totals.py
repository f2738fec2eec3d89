"""Of how many valid votes an announcement speaks: said, implied by its counts, or left open within a range."""

from dataclasses import dataclass
from typing import Literal

from scrutineer.calls.claims.agreement import announced_totals, base_fits, listed_all
from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.computed import computed
from scrutineer.calls.claims.percent import RULES
from scrutineer.calls.claims.rounding import ANY_TOTAL, Span, votes_printing

Origin = Literal["announced", "computed", "fitting", "listed"]
"""`announced`: given, or the sum of a complete list. `computed`: the only totals that make every count its percentage times the
total, where the chance of that is below 1 in 1,000 for honest counts at any total. `fitting`: those of which the votes print as
the percentages. `listed`: at least the votes that are listed."""

_NOTABLE = 1000


@dataclass(frozen=True, slots=True)
class ValidTotal:
    """The valid votes behind an announcement."""

    span: Span
    origin: Origin


def valid_total(announcement: Announcement, *, safe: bool = False) -> ValidTotal:
    """The range of valid votes behind an announcement, as narrow as its figures make it.

    Where `safe`, a coincidence narrows nothing, however rare, nor does a base or rule that was inferred while others fit as well:
    a contradiction or a verdict must not rest on it.
    """
    announced = announced_totals(announcement, "valid")
    if announced.count == 1:
        return ValidTotal(announced, "announced")
    fits = [fit for fit in base_fits(announcement) if fit.fits]
    if safe:
        if not fits or any(fit.base != "valid" for fit in fits):
            return ValidTotal(announced, "listed")
        return ValidTotal(Span(min(fit.totals.low for fit in fits), max(fit.totals.high for fit in fits)), "fitting")
    best = fits[0] if fits else None
    if best is not None and best.base == "valid":
        found = computed(announcement, best)
        if found is not None and found.matches and found.chance_any_total * _NOTABLE <= 1:
            return ValidTotal(found.matching, "computed")
        if best.totals != announced:
            return ValidTotal(best.totals, "fitting")
    return ValidTotal(announced, "listed")


def votes_of(announcement: Announcement, figure: Figure, total: Span) -> Span:
    """The votes a figure can stand for: those given, else what the others leave, else what prints as its percentage."""
    if figure.votes is not None:
        return Span(figure.votes, figure.votes)
    known = sum(other.votes for other in announcement.figures if other.votes is not None)
    missing = sum(other.votes is None for other in announcement.figures)
    whole = Span(0, max(0, total.high - known))
    if listed_all(announcement) and missing == 1:
        return Span(max(0, total.low - known), max(0, total.high - known))
    if figure.percent is None or announcement.base not in (None, "valid") or not total & ANY_TOTAL:
        return whole
    rules = RULES if announcement.rounding is None else (announcement.rounding,)
    total = total & ANY_TOTAL
    spans = [
        Span(votes_printing(figure.percent, total.low, rule).low, votes_printing(figure.percent, total.high, rule).high)
        for rule in rules
    ]
    return whole & Span(min(span.low for span in spans), max(span.high for span in spans))
