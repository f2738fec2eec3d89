"""Do the votes look computed from the percentages? The coincidence, its exact chance for honest counts, and its innocent reasons.

A count that was rounded to a percentage may be any of the integers that print as that percentage. A count that was computed from
one, as round(p x T), is a single one of them. At a known total T the chance of the coincidence for honest counts is therefore

    1 / (number of integer vectors that print as the announced percentages at T and add up as announced),

given the percentages, and given that honest counts are spread evenly over these vectors (they are far fewer than the spread of
real counts, so that any smooth distribution is even over them). Where the total was not announced, every total that could give
such a vector is a further chance: `chance_any_total` counts them all, and is what a test must use then.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod
from typing import Final

from scrutineer.calls.claims.agreement import BaseFit, best_fit, listed_all, parts
from scrutineer.calls.claims.announcement import MAX_TOTAL, Announcement, Base
from scrutineer.calls.claims.percent import Percent, Rule
from scrutineer.calls.claims.rounding import (
    Span,
    check_total,
    check_votes,
    prints,
    votes_printing,
)
from scrutineer.language import Phrase

MAX_TERMS: Final = 20_000
"""Terms of one inclusion-exclusion sum; announcements with one number of decimals need a few hundred."""

COMMON: Final = Fraction(1, 20)
"""A chance above this is nothing to point out in words."""

ASSUMPTIONS: Final = (
    Phrase("the percentages and the total are taken as given"),
    Phrase("honest counts are spread evenly over all counts that print as these percentages"),
    Phrase("computed counts are the percentage times the total, rounded to the nearest vote"),
)

EXPLANATIONS: Final = (
    Phrase("a draft or system that stored the total and the percentages, from which somebody filled in the votes"),
    Phrase("a spreadsheet that multiplied a displayed percentage back"),
    Phrase("an intermediary (press office, agency, newsroom) who added votes to percentages that were read out"),
    Phrase("chance, which is as small as stated and never zero"),
    Phrase("it cannot tell who did it, at what stage, or why; the sheets behind the total can"),
)


def product_votes(percent: Percent, total: int) -> int:
    """The percentage times the total, rounded to the nearest vote, ties up. Raises CallError for an impossible total."""
    check_total(total)
    return (2 * percent.units * total + percent.whole) // (2 * percent.whole)


def product_totals(votes: int, percent: Percent) -> Span:
    """The totals up to 10^10 at which `product_votes` gives these votes. Raises CallError for impossible votes."""
    check_votes(votes)
    if percent.units == 0:
        return Span(1, MAX_TOTAL if votes == 0 else 0)
    # 2 W v <= 2 u T + W < 2 W (v + 1), solved for T.
    double, whole = 2 * percent.units, percent.whole
    return Span(-(-whole * (2 * votes - 1) // double), -(-whole * (2 * votes + 1) // double) - 1) & Span(1, MAX_TOTAL)


def product_rests(known: int, percent: Percent) -> Span:
    """The totals up to 10^10 at which `product_votes` gives what is left over `known`. Raises CallError for impossible votes."""
    check_votes(known)
    double, whole = 2 * (percent.whole - percent.units), percent.whole
    if double == 0:
        return Span(1, MAX_TOTAL if known == 0 else 0)
    # 2 W (T - S) <= 2 u T + W < 2 W (T - S + 1), solved for T.
    return Span((2 * whole * known - whole) // double + 1, (2 * whole * known + whole) // double) & Span(max(1, known), MAX_TOTAL)


def vectors(spans: Sequence[Span], total: int) -> int | None:
    """How many integer vectors with one entry in each span add up to the total; None where counting them takes too many terms.

    Inclusion and exclusion over the entries that pass their upper limit: with R = total - sum of lows, widths w and k entries,
    the sum over subsets S of (-1)^|S| C(R - sum of w over S + k - 1, k - 1); equal subset sums are taken together.
    """
    if not spans or not all(spans):
        return 0
    rest = total - sum(span.low for span in spans)
    if rest < 0:
        return 0
    terms: Counter[int] = Counter({0: 1})
    for width, times in sorted(Counter(span.count for span in spans).items()):
        grown: Counter[int] = Counter()
        for taken in range(times + 1):
            if taken * width > rest:
                break
            factor = (-1) ** taken * comb(times, taken)
            for offset, sign in terms.items():
                if offset + taken * width <= rest:
                    grown[offset + taken * width] += factor * sign
            if len(grown) > MAX_TERMS:
                return None
        terms = grown
    k = len(spans)
    return sum(sign * comb(rest - offset + k - 1, k - 1) for offset, sign in terms.items())


@dataclass(frozen=True, slots=True)
class OptionTest:
    """One count against its percentage of a known total."""

    name: str
    votes: int
    percent: Percent
    total: int
    product: int
    """The percentage times the total, rounded."""
    printing: int
    """How many counts print as the percentage at this total."""

    @property
    def matches(self) -> bool:
        """Whether the announced count is the product."""
        return self.votes == self.product

    @property
    def chance(self) -> Fraction:
        """The chance that an honest count does as well: 1 in `printing` where it is the product, else certain.

        Certain also at 0 and 100 per cent: nothing and everything are natural counts, not evenly spread ones.
        """
        return Fraction(1, self.printing) if self.matches and self.printing and not _extreme(self.percent) else Fraction(1)

    @property
    def text(self) -> Phrase:
        """The arithmetic in words."""
        values = {"name": self.name, "percent": self.percent, "total": self.total, "product": self.product}
        if not self.matches:
            return Phrase(
                "{name}: {percent} of {total} is {product}, announced {votes}: not the same", votes=self.votes, **values
            )
        if _extreme(self.percent):
            return Phrase("{name}: {percent} of {total} is {product}, as announced; which says nothing", **values)
        return Phrase.several(
            "{name}: {percent} of {total} is {product}, as announced; 1 of {n} count that prints so",
            "{name}: {percent} of {total} is {product}, as announced; 1 of {n} counts that print so",
            self.printing,
            **values,
        )


def option_test(name: str, votes: int, percent: Percent, total: int, rule: Rule) -> OptionTest:
    """Test one count against its percentage. Raises CallError for figures of which there is no percentage."""
    check_votes(votes)
    return OptionTest(name, votes, percent, total, product_votes(percent, total), votes_printing(percent, total, rule).count)


@dataclass(frozen=True, slots=True)
class PartialMatch:
    """Totals at which some of the announced counts are products, and which."""

    totals: Span
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """Whether an announcement's votes are its percentages times a total."""

    base: Base
    rule: Rule
    counts: int
    """How many counts were announced with a percentage."""
    total_announced: bool
    """Whether the total follows from the announced figures alone, so that it could not be chosen to match."""
    named: Span
    """The fitting totals at which every announced count is the product."""
    matching: Span
    """Those at which also the votes left for the option announced without votes are its product."""
    total: int | None
    """The total at which the chance is counted: the announced one, or the first that matches; None where none does."""
    options: tuple[OptionTest, ...]
    """Every count at that total, the one left over included."""
    most: PartialMatch
    """Where the most of the announced counts match, whether all do or not."""
    possible: int | None
    """Integer vectors that print as the announced percentages at that total; None where there is no total or no count."""
    chance: Fraction
    """The chance of this coincidence given the total: 1 where there is none."""
    chance_any_total: Fraction
    """At most the chance that honest counts match at some total; equal to `chance` where the total was announced."""
    product: Fraction
    """The options' own chances multiplied, as if they were independent and did not add up to the total."""
    any_split: Fraction | None
    """The chance that evenly spread splits of the total are products of any percentages with these decimals; None where the list
    is not complete or the decimals differ."""

    @property
    def matches(self) -> bool:
        """Whether there is a total at which all counts are products."""
        return bool(self.matching)

    @property
    def likelihood_ratio(self) -> int | None:
        """How many times as likely computed votes are to give this as honest ones, at the total; None without a coincidence."""
        return self.possible if self.matches else None

    @property
    def text(self) -> Phrase:
        """The finding in words."""
        if not self.matches:
            return Phrase(
                "at no total that fits are all the votes their percentages times it; at most {most} of {counts} match at one "
                "total",
                most=len(self.most.names),
                counts=self.counts,
            )
        if self.chance_any_total > COMMON:
            return Phrase(
                "every count is its percentage times {total}, rounded, as honest counts of this size and with so few digits "
                "often are",
                total=self.matching,
            )
        if self.possible and self.total is not None:
            odds = Phrase.several(
                "at the total {total} one of {n} possible set of counts",
                "at the total {total} one of {n} possible sets of counts",
                self.possible,
                total=self.total,
            )
        else:
            odds = Phrase("not counted")
        if self.total_announced:
            return Phrase("every count is its percentage times {total}, rounded: {odds}", total=self.matching, odds=odds)
        return Phrase(
            "every count is its percentage times {total}, rounded: {odds}; as the total was not announced, at most {most}",
            total=self.matching,
            odds=odds,
            most=odds_of(self.chance_any_total),
        )


def computed(announcement: Announcement, fit: BaseFit | None = None) -> Computed | None:
    """Test whether the votes for options are the percentages times a total.

    Taken for the base and rule of `fit`, by default the first that fits. None where nothing fits, or no option has both votes and
    a percentage: then there is nothing to test.
    """
    fit = fit or best_fit(announcement)
    both = [
        (figure.name, figure.votes, figure.percent)
        for figure in announcement.figures
        if figure.votes is not None and figure.percent is not None
    ]
    if fit is None or not fit.fits or not both:
        return None
    runs = [(name, product_totals(votes, percent) & fit.totals) for name, votes, percent in both]
    named = fit.totals
    for _, run in runs:
        named = named & run
    known = sum(votes for _, votes, _ in both)
    rest = next((figure for figure in announcement.figures if fit.rest is not None and figure.name == fit.rest.name), None)
    matching = named
    rows = [(name, votes, percent) for name, votes, percent in both]
    if rest is not None and rest.percent is not None:
        known = sum(figure.votes for figure in announcement.figures if figure.votes is not None)
        matching = named & product_rests(known, rest.percent)
    announced = fit.announced.count == 1
    total = fit.announced.low if announced else matching.low if matching else None
    if total is not None and rest is not None and rest.percent is not None and total >= known:
        rows.append((rest.name, total - known, rest.percent))
    options = (
        tuple(option_test(name, votes, percent, total, fit.rule) for name, votes, percent in rows) if total is not None else ()
    )
    most = _most(runs)
    possible = None
    chance = anywhere = product = Fraction(1)
    any_split = None
    if total is not None:
        percents = [percent for _, _, percent in rows]
        whole = fit.base == "valid" and listed_all(announcement) and len(percents) == len(announcement.figures)
        spans = [
            Span(votes, votes) if _extreme(percent) else votes_printing(percent, total, fit.rule) for _, votes, percent in rows
        ]
        # Options left out of the list, and other kinds of vote, take up whatever the listed ones leave of the total.
        possible = vectors(spans if whole else [*spans, Span(0, total)], total)
        if matching and possible:
            chance = Fraction(1, possible)
            totals = Span(total, total) if announced else _reachable(percents, spans, total if rest is not None else None, fit)
            anywhere = min(Fraction(1), Fraction(totals.count, possible))
        # A complete list has one entry fewer that is free: the least informative one is left out.
        free = sorted(option.chance for option in options)[: len(options) - 1 if whole else None]
        product = prod(free, start=Fraction(1))
        any_split = _any_split(percents, total) if whole else None
    return Computed(
        base=fit.base,
        rule=fit.rule,
        counts=len(both),
        total_announced=announced,
        named=named,
        matching=matching,
        total=total,
        options=options,
        most=most,
        possible=possible,
        chance=chance,
        chance_any_total=anywhere,
        product=product,
        any_split=any_split,
    )


def part_tests(announcement: Announcement, rule: Rule) -> tuple[OptionTest, ...]:
    """Test valid, null and blank votes against their percentages of all cast, where those print by the rule."""
    cast = announcement.cast
    if not cast:
        return ()
    return tuple(
        option_test(name, votes, percent, cast, rule)
        for name, votes, percent in parts(announcement)
        if prints(votes, cast, percent, rule)
    )


def family(announcement: Announcement, fit: BaseFit | None = None, *, redundant: bool = True) -> tuple[tuple[str, Fraction], ...]:
    """Every published percentage of an announcement with the exact chance of its count, for Holm's step-down.

    One row for each option at a total that is announced, else one for all of them at any total; and one for each of valid, null
    and blank. Without `redundant`, of parts that add up to all cast the largest is left out: it says the same as the others.
    """
    fit = fit or best_fit(announcement)
    found = computed(announcement, fit)
    rows: list[tuple[str, Fraction]] = []
    if found is not None and found.total_announced:
        rows.extend((option.name, option.chance) for option in found.options)
    elif found is not None:
        rows.append((Phrase("all options at any total"), found.chance_any_total))
    tests = list(part_tests(announcement, fit.rule if fit is not None else announcement.rounding or "half-up"))
    if not redundant and len(tests) > 1 and sum(test.votes for test in tests) == announcement.cast:
        tests.remove(max(tests, key=lambda test: test.votes))
    rows.extend((test.name, test.chance) for test in tests)
    return tuple(rows)


def _reachable(percents: Sequence[Percent], spans: Sequence[Span], total: int | None, fit: BaseFit) -> Span:
    """A run that holds every other total whose products are also counts that print as the percentages at `total`.

    The product of a percentage grows with the total, by at most one at each step, so that each option's span of counts allows one
    run of totals. Where the last entry is what is left over of `total`, the other products must leave a count in its span; they
    add up to what is left over its own product, which grows in the same way.
    """
    run = fit.announced
    for index, (percent, span) in enumerate(zip(percents, spans, strict=True)):
        if _extreme(percent):
            continue
        if total is not None and index == len(percents) - 1:
            run = run & Span(product_rests(total - span.high, percent).low, product_rests(total - span.low, percent).high)
        else:
            run = run & Span(product_totals(span.low, percent).low, product_totals(span.high, percent).high)
    return run


def _extreme(percent: Percent) -> bool:
    return percent.units in (0, percent.whole)


def _most(runs: Sequence[tuple[str, Span]]) -> PartialMatch:
    """The first run of totals at which the most options match; the whole sweep is over the ends of the runs."""
    best = Span(1, 0)
    names: tuple[str, ...] = ()
    for start in sorted({run.low for _, run in runs if run}):
        here = tuple(name for name, run in runs if start in run)
        if len(here) > len(names):
            high = min(run.high for _, run in runs if start in run)
            best, names = Span(start, high), here
    return PartialMatch(best, names)


def _any_split(percents: Sequence[Percent], total: int) -> Fraction | None:
    if len({percent.decimals for percent in percents}) != 1:
        return None
    others = len(percents) - 1
    return min(Fraction(1), Fraction(comb(percents[0].whole + others, others), comb(total + others, others)))


def odds_of(chance: Fraction) -> Phrase:
    """A chance as '1 in 7,197', rounded down to a whole number."""
    return Phrase("1 in {number}", number=int(1 / chance))
