"""Many tests of one announcement: Holm's step-down, so that one rare coincidence among many is not taken for a rarity."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scrutineer.errors import CallError

MAX_TESTS = 10_000


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One test among several."""

    name: str
    chance: Fraction
    """The test's own exact chance."""
    adjusted: Fraction
    """The smallest family-wise level at which Holm's procedure rejects it."""

    def below(self, level: Fraction) -> bool:
        """Whether it stands at this family-wise level."""
        return self.adjusted <= level


def holm(tests: Sequence[tuple[str, Fraction]]) -> tuple[Adjusted, ...]:
    """Adjust the exact chances of a family of tests, in the order given.

    With the k chances sorted ascending, the adjusted i-th is the largest of (k - j + 1) p_j over j <= i, at most 1. Rejecting
    what is adjusted to at most a level errs on any honest test with at most that probability, whatever the dependence between
    the tests (S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979).
    Raises CallError for a chance outside 0 to 1 and for more than 10,000 tests.
    """
    if len(tests) > MAX_TESTS:
        raise CallError(f"{len(tests)} tests of one announcement: at most {MAX_TESTS} are taken together")
    for name, chance in tests:
        if not 0 <= chance <= 1:
            raise CallError(f"test {name!r}: its chance lies outside 0 to 1")
    order = sorted(range(len(tests)), key=lambda index: tests[index][1])
    adjusted = [Fraction(0)] * len(tests)
    so_far = Fraction(0)
    for rank, index in enumerate(order):
        so_far = max(so_far, min(Fraction(1), (len(tests) - rank) * tests[index][1]))
        adjusted[index] = so_far
    return tuple(Adjusted(name, chance, adjusted[index]) for index, (name, chance) in enumerate(tests))
