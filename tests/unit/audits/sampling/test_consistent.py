"""Consistent sampling against the numbers that its author and others published.

[R] ron-rivest/consistent_sampler: README.md, USAGE_EXAMPLES.md and the examples of consistent_sampler.py.
[A] votingworks/arlo, server/tests/audit_math/snapshots/snap_test_sampler.py.
"""

import pytest

from scrutineer.audits.sampling.consistent import consistent_sample, cut_off, first_number, next_number, tuple_text
from scrutineer.errors import AuditError

ARLO_SEED = "12345678901234567890abcdefghijklmnopqrstuvwxyz😊"


def listed(ids, seed, count, *, replacement, skip=0, digits=9):
    return [tuple(drawn) for drawn in consistent_sample(ids, seed, count, replacement=replacement, skip=skip, digits=digits)]


def ids_of(ids, seed, count, *, replacement, skip=0):
    return [id_ for _, id_, _ in listed(ids, seed, count, replacement=replacement, skip=skip)]


def test_ticket_numbers_of_the_examples():
    # [R], docstrings of first_fraction, next_fraction, next_ticket, make_ticket_heap and draw_with_replacement
    first = "0.26299714122838008416507544297546663599715395525154425586041245287750224561854"
    assert first_number("AB-130", "01382438112797316654") == first
    assert next_number(first) == "0.8232357229934205790595761924514048157652891124687533667363938813600770093316"
    assert next_number("0.25471") == "0.642853261655004694691182528114375607701032283189922170593838029306715548381901"
    assert next_number("0.234") == "0.547830802749402616364646686795722512609112766306951592422621788875312684400211"
    assert first_number("cat", "xy()134!g2n") == "0.24866413894129579898796850445568128508290132707747976039848637531569373309555"
    assert (
        first_number("goat", "xy()134!g2n") == "0.49599842072022713663423753308080171636735689997237236247068925068573448764387"
    )


def test_numbers_are_cut_off_behind_their_first_nines():
    assert cut_off("0.9991234567890", 4) == "0.9991234"  # [R], docstring of trim
    assert cut_off("0.1234567890", 9) == "0.123456789"
    assert cut_off("0.99", 3) == "0.99"


def test_samples_without_replacement():
    # [R], README example 1, USAGE_EXAMPLES 1, 2 and 6, docstring of sampler
    assert ids_of(["A-1", "A-2", "A-3", "B-1", "B-2", "B-3"], "314159", 4, replacement=False) == ["B-2", "B-3", "A-3", "A-2"]
    assert ids_of("abcd", "31", 9, replacement=False) == ["b", "a", "d", "c"]
    assert ids_of("abcd", "77", 9, replacement=False) == ["b", "d", "c", "a"]
    assert listed(map(str, range(100)), "41", 5, replacement=False) == [
        ("0.000508333", "73", 1),
        ("0.003446232", "51", 1),
        ("0.004419823", "17", 1),
        ("0.020115273", "58", 1),
        ("0.023482375", "38", 1),
    ]
    assert ids_of(map(str, range(100)), "41", 5, replacement=False, skip=5) == ["42", "39", "20", "11", "67"]
    assert listed(["ab-1", "ab-2", "cd-1", "ef-3"], "314159", 9, replacement=False) == [
        ("0.317685817", "cd-1", 1),
        ("0.832984519", "ef-3", 1),
        ("0.9098039269", "ab-1", 1),
        ("0.9231549043", "ab-2", 1),
    ]


def test_samples_with_replacement():
    # [R], README example 2, docstring of sampler, USAGE_EXAMPLES 7
    assert listed(["a1", "b2", "c3", "d4", "e5", "f6"], "19283746", 10, replacement=True) == [
        ("0.303241347", "e5", 1),
        ("0.432145156", "b2", 1),
        ("0.487135586", "c3", 1),
        ("0.581779914", "b2", 2),
        ("0.680782907", "b2", 3),
        ("0.700258702", "c3", 2),
        ("0.816686725", "b2", 4),
        ("0.841870265", "a1", 1),
        ("0.857737141", "a1", 2),
        ("0.866227993", "f6", 1),
    ]
    assert ids_of(["A#2", "B#7", "C#1", "D#4"], "314159", 8, replacement=True) == (
        ["D#4", "C#1", "C#1", "B#7", "A#2", "C#1", "D#4", "B#7"]
    )
    assert listed("ab", "52", 5, replacement=True, skip=15) == [
        ("0.99583860264", "b", 7),
        ("0.99600663461", "b", 8),
        ("0.99681028452", "b", 9),
        ("0.99840177044", "b", 10),
        ("0.99882694976", "b", 11),
    ]


def test_ballots_that_arlo_draws():
    # [A], test_draw_sample and test_draw_more_samples
    ids = [tuple_text(f"pct {batch}", ballot) for batch in range(1, 5) for ballot in range(1, 26)]
    assert listed(ids, ARLO_SEED, 4, replacement=True, digits=18) == [
        ("0.000617786129909912", "('pct 2', 3)", 1),
        ("0.002991631653037245", "('pct 3', 24)", 1),
        ("0.012057030610635061", "('pct 1', 25)", 1),
        ("0.017930028930651931", "('pct 4', 19)", 1),
    ]
    second = listed(ids, ARLO_SEED, 10, replacement=True, skip=10, digits=18)
    assert second[0] == ("0.096136506157297637", "('pct 1', 20)", 2)
    assert second[2] == ("0.108948480696023984", "('pct 1', 25)", 2)
    assert second[9] == ("0.138772253094235762", "('pct 4', 20)", 1)


def test_a_sample_of_some_is_what_of_them_is_in_a_sample_of_all():
    # arXiv 1808.10016, section 1: S(J, u) = S(K, u) ∩ J
    every = [f"{box}-{card}" for box in "ABC" for card in range(30)]
    some = [id_ for id_ in every if id_[0] != "B"]
    drawn = listed(every, "2718281828", 90, replacement=True)
    kept = [each for each in drawn if each[1] in some]
    assert listed(some, "2718281828", len(kept), replacement=True) == kept
    assert len({id_ for _, id_, _ in kept}) < len(kept), "some are drawn twice"


def test_what_cannot_be_drawn_from_is_refused():
    with pytest.raises(AuditError, match="stands twice"):
        consistent_sample(["a", "a"], "1", 1, replacement=False)
    with pytest.raises(AuditError, match="0 or more"):
        consistent_sample(["a"], "1", -1, replacement=False)
    with pytest.raises(AuditError, match="Unicode"):
        consistent_sample(["\ud800"], "1", 1, replacement=False)
    for number in ("", "0.", "1.5", "0.1x", "0.٣"):
        with pytest.raises(AuditError, match="no ticket number"):
            next_number(number)
