"""Fixed-base tables: the same powers as anyone's, entries that tell nothing by their length, and a bounded memory."""

import sys

import pytest
from gmpy2 import mpz

from ballot_helpers import SMALL, seeded
from scrutineer.ballots import STANDARD, tables
from scrutineer.ballots.tables import FixedBase, fixed_base
from scrutineer.errors import BallotError


def edges(q: int) -> list[mpz]:
    random = seeded("exponents")
    drawn = [SMALL.random_scalar(random) for _ in range(20)]
    return [mpz(value) for value in (0, 1, 2, 255, 256, 4095, 2**255, q - 1, q, q + 7, -1, -(2**300), *drawn)]


@pytest.mark.parametrize("window", [1, 2, 5, 7, 8, 11, 12, 13])
def test_powers_are_those_of_plain_exponentiation(window: int) -> None:
    base = SMALL.power(SMALL.g, mpz(987654321))
    table = FixedBase(SMALL, base, window)
    for exponent in edges(SMALL.q):
        assert table.power(exponent) == SMALL.power(base, exponent % SMALL.q), exponent


def test_standard_group() -> None:
    table = FixedBase(STANDARD, STANDARD.g, 4)
    for exponent in edges(STANDARD.q)[:14]:
        assert table.power(exponent) == STANDARD.power(STANDARD.g, exponent % STANDARD.q)


@pytest.mark.parametrize("window", [3, 8])
def test_no_entry_is_short(window: int) -> None:
    """Multiplying by 1, which a digit of 0 would be, takes a tenth of the time: no entry may be a small number."""
    table = FixedBase(SMALL, SMALL.power(SMALL.g, mpz(5)), window)
    table.build()
    assert all(entry.bit_length() > 480 for row, _, _ in table._rows for entry in row)
    assert sum(width for _, _, width in table._rows) == 256


def test_built_once_and_says_how_far() -> None:
    table = FixedBase(SMALL, SMALL.g, 8)
    told: list[tuple[int, int]] = []
    table.build(lambda done, whole: told.append((done, whole)))
    assert told == [(done, 32) for done in range(1, 33)]
    table.build(lambda done, whole: told.append((done, whole)))
    assert len(told) == 32


@pytest.mark.parametrize("group", [SMALL, STANDARD])
def test_memory_is_what_it_says(group) -> None:  # type: ignore[no-untyped-def]
    table = FixedBase(group, group.g, 6)
    table.build()
    entries = sum(sys.getsizeof(entry) + 8 for row, _, _ in table._rows for entry in row)
    assert entries <= table.memory <= 1.6 * entries


def test_digits_are_of_equal_width() -> None:
    """22 digits of 11 and 12 bits make a smaller table than 21 of 12 and one of 4, with as many products."""
    table = FixedBase(STANDARD, STANDARD.g, 12)
    assert table.rows == 22
    assert table.memory < 0.87 * (21 * 4096 + 16) * (512 + tables.ENTRY_OVERHEAD)


@pytest.mark.parametrize("window", [0, -1, 17])
def test_other_windows_are_refused(window: int) -> None:
    with pytest.raises(BallotError, match="1 to 16 bits"):
        FixedBase(SMALL, SMALL.g, window)


def test_tables_are_shared_and_bounded() -> None:
    bases = [SMALL.power(SMALL.g, mpz(number)) for number in range(2, 42)]
    first = fixed_base(SMALL, bases[0], 2)
    assert fixed_base(SMALL, bases[0], 2) is first
    assert fixed_base(SMALL, bases[0], 3) is not first
    for base in bases:
        fixed_base(SMALL, base, 2)
    assert len(tables._cache) == tables.MAX_TABLES
    assert fixed_base(SMALL, bases[0], 2) is not first


def test_large_tables_push_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_CACHE", 3 * FixedBase(SMALL, SMALL.g, 4).memory)
    bases = [SMALL.power(SMALL.g, mpz(number)) for number in range(50, 54)]
    kept = [fixed_base(SMALL, base, 4) for base in bases]
    assert list(tables._cache.values()) == kept[1:]
    large = fixed_base(SMALL, bases[0], 8)  # larger than all that may be kept: it stays alone
    assert list(tables._cache.values()) == [large]


def test_a_base_that_is_no_element_raises_nothing() -> None:
    """A hostile record may name such a key; that it is none is the finding of check 2.A."""
    assert FixedBase(SMALL, mpz(0), 4).power(mpz(7)) == 0
    FixedBase(SMALL, SMALL.p - 1, 4).power(mpz(7))


def test_the_table_asked_for_least_recently_goes_first() -> None:
    bases = [SMALL.power(SMALL.g, mpz(number)) for number in range(100, 100 + tables.MAX_TABLES)]
    kept = [fixed_base(SMALL, base, 2) for base in bases]
    assert fixed_base(SMALL, bases[0], 2) is kept[0]
    fixed_base(SMALL, SMALL.g, 3)
    assert fixed_base(SMALL, bases[0], 2) is kept[0]
    assert fixed_base(SMALL, bases[1], 2) is not kept[1]
