"""Each check of a record passes where it should and fails where it should: one row for every number."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import msgspec
import pytest

from record_helpers import Record, RememberingEngine, keys_of, sample_record
from record_mutations import expected, mutations
from scrutineer.ballots.bundle import encode, read_line
from scrutineer.ballots.chain_check import NO_CHAINING
from scrutineer.ballots.checks import CHECKS, OURS, SPECIFIED, check_of
from scrutineer.ballots.confirmation import ORDINARY, PRE_ENCRYPTED, chain_end, confirmation_code
from scrutineer.ballots.hashing import digest
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot
from scrutineer.ballots.record import Ballot, BundleClosing

LETTERS = {
    1: 6,
    2: 3,
    3: 2,
    4: 1,
    5: 2,
    6: 4,
    7: 4,
    8: 7,
    9: 2,
    10: 3,
    11: 4,
    12: 3,
    13: 2,
    14: 6,
    15: 1,
    16: 8,
    17: 1,
    18: 1,
    19: 4,
}
"""How many lettered checks each verification of the specification has."""


@cache
def engine() -> RememberingEngine:
    return RememberingEngine()


@cache
def first_mutations() -> dict[str, tuple[str, Record]]:
    """For every check, the first record in which it alone or among others has to fail."""
    found: dict[str, tuple[str, Record]] = {}
    for name, record in mutations(sample_record()):
        found.setdefault(expected(name), (name, record))
    return found


def unchained(record: Record, place: int) -> Record:
    """The record with one device that did not chain its ballots, and with everything else right."""
    _, keys = keys_of(record)
    uses = (ORDINARY, PRE_ENCRYPTED)[place]

    def lines() -> Iterator[bytes]:
        first, last = b"", b""
        for line in record.bundles[place].splitlines(keepends=True):
            value = read_line(line)
            if isinstance(value, BundleClosing):
                chain, closing = chain_end(keys, last, first, uses)
                changed: object = msgspec.structs.replace(value, chain=chain, closing=closing)
            elif isinstance(value, Ballot | PreEncryptedBallot):
                last = confirmation_code(value.identifier_hash, [own.hash for own in value.contests], first, uses)
                changed = msgspec.structs.replace(value, chain=first, code=last)
            else:
                first = NO_CHAINING + value.device_hash
                last = digest(keys.extended_hash, uses.confirmation, first)
                changed = msgspec.structs.replace(value, chain=first, opening=last)
            yield encode(changed) + b"\n"  # type: ignore[arg-type]

    # Without the tally records, whose openings name confirmation codes that are others now.
    return replace(record, tallies=(b"",) * len(record.tallies)).with_bundle(place, b"".join(lines()))


def test_the_list_has_the_64_checks_of_the_specification() -> None:
    assert [check.number for check in SPECIFIED] == [
        f"{verification}.{'ABCDEFGH'[letter]}" for verification, count in LETTERS.items() for letter in range(count)
    ]
    assert len(SPECIFIED) == 64
    assert [check.number for check in OURS] == [f"R.{number}" for number in range(1, len(OURS) + 1)]


def test_every_check_says_what_holds_and_what_to_do() -> None:
    for check in CHECKS.values():
        assert check.holds.endswith(".")
        assert check.advice.endswith(".")
    assert check_of("6.A") == CHECKS["6.A"]
    assert check_of("R.99").number == "R.99"


@pytest.mark.parametrize("number", CHECKS)
def test_check_passes(number: str) -> None:
    """The record passes it, and it is not among those that had nothing to look at."""
    record = sample_record()
    if number not in ("8.D", "16.E"):
        report = record.check(engine())
        assert report.passed
        assert number not in report.idle
        return
    # A device without chaining is refused by a check of ours alone.
    report = unchained(record, 0 if number == "8.D" else 1).check(engine())
    assert report.checks == ("R.11",)
    assert number not in report.idle


@pytest.mark.parametrize("number", CHECKS)
def test_check_fails(number: str) -> None:
    """There is a record that it refuses. A check without one would be one that nobody has seen fail."""
    assert number in first_mutations(), f"no mutation shows that {number} can fail"
    name, record = first_mutations()[number]
    report = record.check(engine())
    assert number in report.checks, name
    assert not report.passed
