"""Every change to a record of encrypted ballots is found, under the number of the check that has to find it."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from record_helpers import Record, RememberingEngine, sample_record
from record_mutations import Named, expected, mutations
from scrutineer.ballots.checks import CHECKS
from scrutineer.ballots.group import STANDARD

EVERY = "SCRUTINEER_ALL_MUTATIONS"
"""Set it to check all of the three thousand, in about two minutes."""
FIRST = 4
"""So many of each check are always taken, and of the rest every `STEP`-th."""
STEP = 9


def chosen() -> Iterator[Named]:
    """A fixed choice that has some of every check."""
    seen: Counter[str] = Counter()
    for name, record in mutations(sample_record()):
        seen[expected(name)] += 1
        if EVERY in os.environ or seen[expected(name)] <= FIRST or seen[expected(name)] % STEP == 0:
            yield name, record


@pytest.mark.timeout(300)
def test_every_mutation_is_found_by_its_check() -> None:
    engine = RememberingEngine()
    missed, seen = [], Counter[str]()
    for name, record in chosen():
        report = record.check(engine)
        seen[expected(name)] += 1
        if report.passed or expected(name) not in report.checks:
            missed.append((name, report.checks))
    assert not missed
    assert sum(seen.values()) >= 500
    # A check without a mutation would be one that nobody has seen fail.
    assert set(seen) == set(CHECKS)


def test_the_record_itself_passes() -> None:
    assert sample_record().check().passed


def test_the_group_of_tests_is_refused_where_no_group_is_given() -> None:
    report = sample_record().check(group=STANDARD)
    assert {"1.B", "1.D", "R.1"} <= set(report.checks)
    assert report.stations == ()


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"null\n" * 5, bytes(range(256)) * 40, b"[" * 5_000_000])
def test_arbitrary_bytes_are_findings_and_never_exceptions(data: bytes) -> None:
    record = sample_record()
    for hostile in (
        Record(data, record.bundles, record.tallies),
        Record(record.keys, (data,), (b"",)),
        Record(record.keys, record.bundles[:1], (data or b"{}",)),
    ):
        assert not hostile.check().passed
