"""Honest announcements: always coherent, their true totals always within the range found, and rarely taken for computed ones."""

import random
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from scrutineer.calls.claims.agreement import agreement, base_fit
from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.computed import computed, family, product_rests, product_totals, product_votes, vectors
from scrutineer.calls.claims.holm import holm
from scrutineer.calls.claims.percent import RULES, Percent
from scrutineer.calls.claims.reach import fewest_added, reach, smallest_total
from scrutineer.calls.claims.rounding import Span, printed, prints, totals_leaving, totals_printing, votes_printing
from scrutineer.calls.claims.still_open import still_open
from scrutineer.errors import CallError

BIRDS = ("Avocet", "Bittern", "Curlew", "Dunlin", "Egret", "Fulmar", "Gannet", "Heron")


def split(source: random.Random, total: int, parts: int) -> list[int]:
    """A total split among options whose support differs as much as it does in elections."""
    weights = [source.expovariate(1) ** 2 for _ in range(parts)]
    whole = sum(weights)
    counts = [int(total * weight / whole) for weight in weights]
    for _ in range(total - sum(counts)):
        counts[source.randrange(parts)] += 1
    return counts


def bulletin(source: random.Random) -> tuple[Announcement, str, str, int]:
    """An honest announcement with some of its figures left out, its base, its rule and the true total of the base."""
    parts, decimals, rule = source.randint(2, 7), source.randint(0, 4), source.choice(RULES)
    base = source.choice(("valid", "cast", "roll"))
    votes = split(source, int(10 ** source.uniform(1, 7)), parts)
    valid = sum(votes)
    null, blank = source.randint(0, 1 + valid // 50), source.randint(0, 1 + valid // 80)
    cast = valid + null + blank
    roll = cast + source.randint(0, cast)
    total = {"valid": valid, "cast": cast, "roll": roll}[base]
    listed = list(zip(BIRDS, votes, strict=False))
    rest = source.random() < 0.4
    if rest:
        cut = source.randint(1, parts - 1)
        listed = [*listed[:cut], ("all others", sum(votes[cut:]))]
    figures = []
    for index, (name, count) in enumerate(listed):
        percent = printed(count, total, decimals, rule) if source.random() < 0.9 else None
        given = count if percent is None or source.random() < 0.8 else None
        figures.append(Figure(name, given, percent, others=rest and index == len(listed) - 1))

    def maybe(figure):
        return figure if source.random() < 0.6 else None

    stations = source.randint(1, 40_000)
    announcement = Announcement(
        "the council",
        "tonight",
        "",
        "president",
        tuple(figures),
        valid=maybe(valid),
        null=maybe(null),
        blank=maybe(blank),
        cast=maybe(cast),
        roll=maybe(roll),
        percent_of_null=maybe(printed(null, cast, decimals, rule)),
        percent_of_valid=maybe(printed(valid, cast, decimals, rule)),
        turnout_percent=maybe(printed(cast, roll, decimals, rule)),
        stations=maybe(stations),
        stations_counted=stations,
        counted_percent=maybe(Percent("100")),
        base=maybe(base),
        rounding=maybe(rule),
    )
    return announcement, base, rule, total


def test_honest_announcements_are_coherent_and_the_true_total_is_among_those_that_fit():
    source = random.Random(20)
    for _ in range(4_000):
        announcement, base, rule, total = bulletin(source)
        found = agreement(announcement)
        assert found.coherent, (announcement, [finding for finding in found.findings if finding.fits is False])
        fit = base_fit(announcement, base, rule)
        assert total in fit.totals, (announcement, fit, total)
        assert all(total in row.totals for row in fit.each)
        still_open(announcement)


def test_honest_announcements_that_follow_each_other_are_reachable():
    source = random.Random(21)
    for _ in range(1_500):
        parts, decimals, rule = source.randint(2, 6), source.randint(0, 3), source.choice(RULES)
        first = split(source, source.randint(50, 10**6), parts)
        added = split(source, source.randint(0, 10**6), parts)
        second = [old + new for old, new in zip(first, added, strict=True)]
        pair = []
        for votes in (first, second):
            figures = [
                Figure(name, count, printed(count, sum(votes), decimals, rule)) for name, count in zip(BIRDS, votes, strict=False)
            ]
            kept = [
                replace(figure, votes=None if source.random() < 0.2 else figure.votes, others=index == parts - 1)
                for index, figure in enumerate(figures)
            ]
            roll = source.choice((None, sum(second)))
            pair.append(
                Announcement("council", "", "", "president", tuple(kept), roll=roll, rounding=source.choice((None, rule)))
            )
        found = reach(*pair)
        assert found.reachable, [finding for finding in found.findings if finding.fits is False]
        percents = [printed(count, sum(second), decimals, rule) for count in second]
        least = smallest_total(first, percents, sum(first), rule, complete=True)
        assert least is not None
        assert sum(first) <= least <= sum(second)
        for old, new, figure in zip(first, second, pair[0].figures, strict=True):
            needed = fewest_added(new, sum(second), figure.percent, rule)
            assert needed is not None
            assert needed <= sum(added)
            assert prints(old, sum(first), figure.percent, rule)


def test_smallest_total_and_fewest_added_are_those_of_trying_all():
    source = random.Random(22)
    for _ in range(100):
        rule, decimals = source.choice(RULES), source.randint(0, 1)
        parts = source.randint(2, 3)
        first = split(source, source.randint(3, 60), parts)
        second = [old + new for old, new in zip(first, split(source, source.randint(0, 60), parts), strict=True)]
        total = sum(second)
        percents = [printed(count, total, decimals, rule) for count in second]

        def reached(size, first=first, percents=percents, rule=rule, parts=parts):
            runs = [range(old, size + 1) for old in first[:-1]]
            for some in product(*runs):
                votes = (*some, size - sum(some))
                fits = votes[-1] >= first[-1] and all(
                    prints(*row, rule) for row in zip(votes, [size] * parts, percents, strict=True)
                )
                if fits:
                    return True
            return False

        expected = next(size for size in range(sum(first), total + 1) if reached(size))
        assert smallest_total(first, percents, sum(first), rule, complete=True) == expected
        earlier = printed(first[0], sum(first), decimals, rule)
        tries = (
            n
            for n in range(total)
            if any(prints(old, total - n, earlier, rule) for old in range(max(0, second[0] - n), min(second[0], total - n) + 1))
        )
        assert fewest_added(second[0], total, earlier, rule) == next(tries)


def test_lattice_counts_are_those_of_listing_every_vector():
    source = random.Random(23)
    for _ in range(400):
        spans = [Span(low := source.randint(0, 6), low + source.randint(0, 6)) for _ in range(source.randint(1, 4))]
        total = source.randint(0, 40)
        listed = sum(sum(vector) == total for vector in product(*(range(span.low, span.high + 1) for span in spans)))
        assert vectors(spans, total) == listed


def test_product_totals_are_those_of_trying_all():
    for decimals, units in ((0, 0), (0, 1), (0, 37), (0, 50), (0, 99), (0, 100), (1, 5), (1, 512), (1, 999)):
        digits = str(units).zfill(decimals + 1)
        percent = Percent(digits if not decimals else f"{digits[:-1]}.{digits[-1]}")
        for votes in range(0, 40, 3):
            runs = product_totals(votes, percent), product_rests(votes, percent)
            for total in range(1, 130):
                made = product_votes(percent, total)
                assert (made == votes) == (total in runs[0])
                assert (total >= votes and made == total - votes) == (total in runs[1])


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("parts", [2, 3, 4])
def test_honest_votes_pass_for_computed_at_most_as_often_as_stated(announced, parts):
    # Small totals, because there the chances are large enough for thousands of draws to tell.
    source = random.Random(1000 * parts + announced)
    levels = [Fraction(1, denominator) for denominator in (2, 3, 5, 10, 20, 50, 100)]
    below = dict.fromkeys(levels, 0)
    draws = 3_000
    for _ in range(draws):
        total = source.randint(3_000, 60_000)
        votes = split(source, total, parts)
        figures = [Figure(name, count, printed(count, total, 1, "half-up")) for name, count in zip(BIRDS, votes, strict=False)]
        last = figures[-1] if announced else replace(figures[-1], votes=None)
        listed = (*figures[:-1], replace(last, others=True))
        found = computed(Announcement("council", "", "", "president", listed, base="valid", rounding="half-up"))
        assert found is not None
        assert found.total_announced is announced
        for level in levels:
            below[level] += found.chance_any_total <= level
    for level, seen in below.items():
        slack = 4 * float(draws * level * (1 - level)) ** 0.5
        assert seen <= draws * level + slack, (level, seen)


def test_the_family_of_a_bulletin_errs_at_most_as_often_as_its_level():
    source = random.Random(24)
    level, draws, flagged = Fraction(1, 10), 2_000, 0
    for _ in range(draws):
        votes = split(source, source.randint(20_000, 400_000), 5)
        null, valid = source.randint(1, 9_000), sum(votes)
        cast = valid + null
        figures = tuple(
            Figure(name, count, printed(count, valid, 2, "half-up")) for name, count in zip(BIRDS, votes, strict=False)
        )
        announcement = Announcement(
            "council",
            "",
            "",
            "president",
            figures,
            valid=valid,
            null=null,
            cast=cast,
            percent_of_null=printed(null, cast, 2, "half-up"),
            base="valid",
            rounding="half-up",
        )
        flagged += any(test.below(level) for test in holm(family(announcement)))
    assert flagged <= draws * level + 4 * float(draws * level * (1 - level)) ** 0.5


def test_votes_that_were_computed_are_recognised():
    source = random.Random(25)
    recognised = 0
    for _ in range(300):
        total = source.randint(10**5, 10**8)
        percents = [printed(count, total, 1, "half-up") for count in split(source, total, 3)]
        votes = [product_votes(percent, total) for percent in percents]
        if (
            sum(votes) != total
            or sum(percent.units for percent in percents) != 1000
            or not all(percent.units for percent in percents)
        ):
            continue
        figures = [Figure(name, count, percent) for name, count, percent in zip(BIRDS, votes, percents, strict=False)]
        listed = (*figures[:-1], replace(figures[-1], votes=None, others=True))
        found = computed(Announcement("council", "", "", "president", listed, base="valid", rounding="half-up"))
        assert total in found.matching
        recognised += 1
    assert recognised > 50


def test_any_figures_give_findings_or_a_clear_error():
    source = random.Random(26)
    numbers = (None, 0, 1, 2, 54, 999, 1000, 704_114, 10**10, 10**10 + 1, -1)
    texts = (None, "0", "0.0", "0.000001", "50", "50.0", "99.999999", "100", "100.000000", "100.1", "33.33", "5e1", "")
    made = 0
    for _ in range(5_000):
        try:
            figures = tuple(
                Figure(
                    f"option {index}",
                    source.choice(numbers[:9]) if source.random() < 0.98 else source.choice(numbers),
                    None if (text := source.choice(texts[:9] if source.random() < 0.98 else texts)) is None else Percent(text),
                    others=source.random() < 0.1,
                )
                for index in range(source.randint(1, 6))
            )
            names = ("valid", "null", "blank", "cast", "stations", "stations_counted", "roll")
            counts = {name: source.choice(numbers[:9]) for name in names if source.random() < 0.5}
            shares = {
                name: Percent(source.choice(texts[1:9]))
                for name in ("percent_of_null", "percent_of_valid", "turnout_percent", "counted_percent")
                if source.random() < 0.5
            }
            announcement = Announcement("council", "", "", "president", figures, **counts, **shares)
        except CallError:
            continue
        made += 1
        agreement(announcement)
        found = computed(announcement)
        if found is not None:
            assert 0 < found.chance <= found.chance_any_total <= 1
            assert found.text
        holm(family(announcement))
        still_open(announcement)
        if made % 20 == 0:
            reach(announcement, replace(announcement, valid=None, cast=None))
    assert made > 2_000


def test_runs_hold_exactly_what_prints():
    for rule, decimals in product(RULES, (0, 1)):
        for total in range(1, 45):
            for votes in range(total + 1):
                percent = printed(votes, total, decimals, rule)
                assert votes in votes_printing(percent, total, rule)
                assert total in totals_printing(votes, percent, rule)
                assert total in totals_leaving(total - votes, percent, rule)
                near = Percent(f"{percent.units // 10}.{percent.units % 10}") if decimals else Percent(str(percent.units // 2))
                same = near.text == percent.text
                assert prints(votes, total, near, rule) is same
