"""What a check of encrypted ballots found wrong: the number of the check in the specification, the place, and a sentence."""

from typing import Final, NamedTuple

MAX_FAILURES: Final = 1_000
"""A verifier keeps so many failures of one file and counts the rest."""


class CheckFailure(NamedTuple):
    """One failed check.

    `check` is its number in the ElectionGuard Design Specification 2.1.0, such as `6.A`; checks of ours, which the specification
    leaves to the record's format, are numbered `R.1` and up (docs/formats.md). `where` names file, ballot, contest and field as
    far as they are known, such as `ballot 1f3a9c…, contest council, option wren`.
    """

    check: str
    where: str
    message: str


def shown(text: object, limit: int = 200) -> str:
    """Text of unknown origin as a sentence may show it: not too long, and without characters that act on a terminal."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text)[:limit])
