"""The seed: what chance gave after the plan was committed to; from it everything that is drawn follows.

A seed is the digits of ten-sided dice that were thrown in public, in the order in which they were read aloud. Twenty digits hold
66 bits: nobody can try out so many plans beforehand that one of them would suit a seed.
"""

from typing import Final

from scrutineer.errors import AuditError

LEAST_DIGITS: Final = 20
MOST_DIGITS: Final = 1000


def canonical_seed(text: str) -> str:
    """The seed of digits that were typed in groups: without the spaces and line ends between them.

    Raises AuditError for anything but the digits 0 to 9, and for fewer than 20 or more than 1,000 of them.
    """
    digits = text.translate({ord(" "): None, ord("\n"): None, ord("\r"): None, ord("\t"): None})
    if not (digits.isascii() and digits.isdecimal()) or not LEAST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise AuditError(
            f"this is no seed: it takes {LEAST_DIGITS} to {MOST_DIGITS} digits 0 to 9 and nothing else; throw ten-sided dice and "
            f"write down the digits in the order in which they fell (given: {len(digits)} characters)"
        )
    return digits


def seed_bytes(seed: str) -> bytes:
    """The bytes of a seed in its canonical form. Raises AuditError for one that is not in it."""
    if canonical_seed(seed) != seed:
        raise AuditError("the seed has spaces or line ends between its digits: write the digits alone")
    return seed.encode("ascii")
