"""How counts print as percentages, and which counts and totals a printed percentage allows. Exact.

Let a percentage have u units of its last digit out of W (512 of 1000 for '51.2'). Then v of T prints as it exactly where

    truncation   u T <= v W < (u + 1) T
    half-up      (2u - 1) T <= 2 v W < (2u + 1) T
    half-even    as half-up, but both limits belong to an even u and neither to an odd one.

For a fixed T this is a run of integers v; for a fixed v it is a run of integers T; and where v is what T leaves over a known
sum S, (T - S) / T grows with T, so it is again a run of integers T. Every such set is therefore one `Span`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scrutineer.calls.claims.announcement import MAX_TOTAL
from scrutineer.calls.claims.percent import MAX_DECIMALS, RULES, Percent, Rule
from scrutineer.errors import CallError
from scrutineer.language import ENGLISH, Say


@dataclass(frozen=True, slots=True)
class Span:
    """The integers from `low` to `high`, both included; none where high < low."""

    low: int
    high: int

    @property
    def count(self) -> int:
        """How many integers it has."""
        return max(0, self.high - self.low + 1)

    def __bool__(self) -> bool:
        return self.high >= self.low

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.high

    def __and__(self, other: "Span") -> "Span":
        return Span(max(self.low, other.low), min(self.high, other.high))

    def __str__(self) -> str:
        return self.said(ENGLISH)

    def said(self, say: Say) -> str:
        """In a language: one number, or from where to where."""
        if not self:
            return say("none")
        if self.low == self.high:
            return say.number(self.low)
        return say("{low} to {high}", low=self.low, high=self.high)


ANY_TOTAL = Span(1, MAX_TOTAL)
"""Totals of which a percentage can be."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """A percentage as limits of a share: low / whole <= share <= high / whole, without a limit that does not belong to it."""

    low: int
    high: int
    whole: int
    low_belongs: bool
    high_belongs: bool


def _limits(percent: Percent, rule: Rule) -> _Limits:
    units, whole = percent.units, percent.whole
    if rule == "truncation":
        return _Limits(2 * units, 2 * units + 2, 2 * whole, low_belongs=True, high_belongs=False)
    if rule == "half-up":
        return _Limits(2 * units - 1, 2 * units + 1, 2 * whole, low_belongs=True, high_belongs=False)
    if rule == "half-even":
        even = units % 2 == 0
        return _Limits(2 * units - 1, 2 * units + 1, 2 * whole, low_belongs=even, high_belongs=even)
    raise CallError(f"rounding {rule!r} is none of {', '.join(RULES)}")


def votes_printing(percent: Percent, total: int, rule: Rule) -> Span:
    """The counts from 0 to `total` that print as the percentage of it. Raises CallError for a total outside 1 to 10^10."""
    check_total(total)
    limits = _limits(percent, rule)
    low = -(-limits.low * total // limits.whole) if limits.low_belongs else limits.low * total // limits.whole + 1
    high = limits.high * total // limits.whole if limits.high_belongs else -(-limits.high * total // limits.whole) - 1
    return Span(low, high) & Span(0, total)


def totals_printing(votes: int, percent: Percent, rule: Rule) -> Span:
    """The totals, up to 10^10, of which `votes` prints as the percentage. Raises CallError for votes outside 0 to 10^10."""
    check_votes(votes)
    limits = _limits(percent, rule)
    return _at_most(limits.low, limits.whole * votes, belongs=limits.low_belongs) & _at_least(
        limits.high, limits.whole * votes, belongs=limits.high_belongs
    ) & Span(max(1, votes), MAX_TOTAL)  # fmt: skip


def totals_leaving(known: int, percent: Percent, rule: Rule) -> Span:
    """The totals, up to 10^10, whose rest above `known` prints as the percentage. Raises CallError for an impossible known."""
    check_votes(known)
    limits = _limits(percent, rule)
    # The rest's share lies between two limits exactly where the known share lies between whole minus each of them.
    low, high = limits.whole - limits.high, limits.whole - limits.low
    return _at_most(low, limits.whole * known, belongs=limits.high_belongs) & _at_least(
        high, limits.whole * known, belongs=limits.low_belongs
    ) & Span(max(1, known), MAX_TOTAL)  # fmt: skip


def prints(votes: int, total: int, percent: Percent, rule: Rule) -> bool:
    """Whether votes of total is printed as the percentage. Raises CallError for a total outside 1 to 10^10."""
    return votes in votes_printing(percent, total, rule)


def printed(votes: int, total: int, decimals: int, rule: Rule) -> Percent:
    """Votes of total as a percentage with so many decimals. Raises CallError for figures of which there is no percentage."""
    check_total(total)
    check_votes(votes)
    if votes > total or not 0 <= decimals <= MAX_DECIMALS:
        raise CallError(
            f"{votes} of {total} with {decimals} decimals: the part is at most the total, decimals at most {MAX_DECIMALS}"
        )
    units, rest = divmod(votes * 100 * int("1" + "0" * decimals), total)
    if rule != "truncation" and (2 * rest > total or (2 * rest == total and (rule == "half-up" or units % 2 == 1))):
        units += 1
    digits = str(units).zfill(decimals + 1)
    return Percent(digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}")


@dataclass(frozen=True, slots=True)
class RuleFit:
    """How many published percentages a rule explains."""

    rule: Rule
    fitting: int
    of: int

    @property
    def fits(self) -> bool:
        """Whether it explains all of them."""
        return self.fitting == self.of


def rule_fits(published: Iterable[tuple[int, int, Percent]], rules: Sequence[Rule] = RULES) -> tuple[RuleFit, ...]:
    """For each rule, how many of the (votes, total, percentage) it explains; one rule must explain all of a bulletin.

    Raises CallError for a total outside 1 to 10^10.
    """
    rows = tuple(published)
    return tuple(
        RuleFit(rule, sum(prints(votes, total, percent, rule) for votes, total, percent in rows), len(rows)) for rule in rules
    )


def inferred_rule(published: Iterable[tuple[int, int, Percent]]) -> Rule | None:
    """The only rule that explains all; None where several do or none does. Raises CallError as `rule_fits` does."""
    fitting = [fit.rule for fit in rule_fits(published) if fit.fits]
    return fitting[0] if len(fitting) == 1 else None


def check_total(total: int) -> None:
    """Raise CallError for a total of which no percentage can be taken."""
    if not 1 <= total <= MAX_TOTAL:
        raise CallError(f"total {_shown(total)}: percentages are taken of 1 to {MAX_TOTAL} only: check its digits")


def check_votes(votes: int) -> None:
    """Raise CallError for a count that cannot be."""
    if not 0 <= votes <= MAX_TOTAL:
        raise CallError(f"{_shown(votes)} votes: a count lies between 0 and {MAX_TOTAL}: check its digits")


def _shown(number: int) -> str:
    # The text of a very long integer is refused by Python itself.
    return str(number) if abs(number) <= MAX_TOTAL**2 else "with too many digits"


def _at_most(factor: int, product: int, *, belongs: bool) -> Span:
    """The totals T with factor x T <= product, or < product where the limit does not belong to it."""
    if factor <= 0:
        # A share of at least nothing, or of more than less than nothing, is no limit; only T >= 1 and product >= 0 remain.
        return ANY_TOTAL if product > 0 or factor < 0 or belongs else Span(1, 0)
    return Span(1, product // factor if belongs else -(-product // factor) - 1)


def _at_least(factor: int, product: int, *, belongs: bool) -> Span:
    """The totals T with factor x T >= product, or > product where the limit does not belong to it."""
    if factor <= 0:
        return ANY_TOTAL if product < 0 or (product == 0 and factor == 0 and belongs) else Span(1, 0)
    return Span(-(-product // factor) if belongs else product // factor + 1, MAX_TOTAL)
