"""Records of single cards and scores of marks in both verifiers."""

import io
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from second_look.outcome.cards import read_cards
from second_look.outcome.plan import Test as SecondTest
from second_look.report import BROKEN

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.compact import read_compact, write_cards
from scrutineer.audits.cards.model import ABSENT, UNKNOWN, Cards, ContestColumn
from scrutineer.audits.cards.sources import Source
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.manifest_check import with_phantoms
from scrutineer.audits.plan_cards import placed_cards
from scrutineer.errors import AuditError

BOXES = ("box 10", "box 9", "ébano", "zorzal")
SIZES = (7, 12, 3, 9)
OPTIONS = ("heron", "wren", "kite", "rail")


def some_cards(chance: random.Random) -> Cards:
    """Records of most cards in two contests, one of them ranked."""
    places = [(box, at) for box, size in enumerate(SIZES) for at in range(1, size + 1) if chance.random() < 0.8]
    columns = []
    for name, ranked in (("mayor", False), ("warden", True)):
        marks = [tuple(chance.sample(range(4), chance.randrange(4))) for _ in places]
        marks = marks if ranked else [tuple(sorted(own)) for own in marks]
        patterns = tuple(sorted({*marks}))
        numbers = [chance.choice((ABSENT, UNKNOWN)) if chance.random() < 0.1 else patterns.index(own) for own in marks]
        columns.append(ContestColumn(name, OPTIONS, patterns, np.array(numbers, np.int8), 2, ranked))
    ids = pa.array([f"{box}/{at}" for box, at in places])
    batch, position = (np.array([place[part] for place in places], np.int32) for part in (0, 1))
    return Cards(tuple(columns), BOXES, batch, position, ids)


def file_of(cards: Cards) -> bytes:
    out = io.BytesIO()
    write_cards(cards, out.write)
    return out.getvalue()


def first_reads(data: bytes) -> Cards:
    return placed_cards(read_compact(Source("cards.bin", len(data), lambda: io.BytesIO(data))), manifest())


def manifest() -> Manifest:
    return Manifest.of(zip(BOXES, SIZES, strict=True))


def second_test(assertion: Assertion) -> SecondTest:
    fields: dict[str, Any] = {name: getattr(assertion, name) for name in ("code", "rest", "need", "most")}
    continuing = None if assertion.continuing is None else sorted(assertion.continuing)
    fields |= {"weights": list(assertion.weights), "first": sorted(assertion.first), "continuing": continuing}
    return SecondTest(assertion.contest, True, fields)


def some_assertion(chance: random.Random, contest: str) -> Assertion:
    weights = tuple(chance.choice((-2, -1, 0, 1, 3)) for _ in OPTIONS)
    if contest == "mayor":
        return Assertion(contest, "x", (*weights[:3], -1), chance.choice((-1, 0, 2)), most=chance.randint(1, 4))
    continuing = frozenset(chance.sample(range(4), chance.randint(1, 4)))
    first = frozenset(option for option in continuing if chance.random() < 0.4)
    return Assertion(contest, "x", (*weights[:3], -1), continuing=continuing, first=first)


@pytest.mark.parametrize("seed", range(12))
def test_records_and_their_scores(seed: int) -> None:
    chance = random.Random(seed)
    data = file_of(some_cards(chance))
    first, second = first_reads(data), read_cards(data, dict(zip(manifest().boxes, manifest().cards.tolist(), strict=True)))
    for contest in ("mayor", "warden"):
        column = first.column(contest)
        for _ in range(8):
            assertion = some_assertion(chance, contest)
            test = second_test(assertion)
            assert (test.lowest, test.highest) == (assertion.lowest, assertion.highest)
            scores = [assertion.score(marks) for marks in column.patterns]
            assert [test.score(list(marks)) for marks in column.patterns] == scores
            assert second.total(contest, test.score) == sum(scores[at] for at in column.pattern.tolist() if at >= 0)
        for row in range(len(first)):
            at = int(column.pattern[row])
            marks = second.marks(contest, first.batches[first.batch[row]], int(first.position[row]))
            assert marks == (list(column.patterns[at]) if at >= 0 else None)
        assert second.marks(contest, "no box", 1) is None
        assert second.holding(contest) == {
            first.batches[first.batch[row]] for row in range(len(first)) if column.pattern[row] >= 0
        }


def test_the_same_bytes_are_refused() -> None:
    """Flipped bits, and pieces cut out: what the second accepts, the first does, but for ids, which it does not compare."""
    chance = random.Random(3)
    cards = some_cards(chance)
    whole = file_of(cards)
    places = dict(zip(manifest().boxes, manifest().cards.tolist(), strict=True))
    letters = whole.index(b"0/")
    ids = range(letters, letters + len("".join(cards.ids.to_pylist())))
    refused = 0
    for _ in range(1_500):
        data = bytearray(whole)
        at = chance.randrange(len(data))
        if at in ids:
            continue
        if chance.random() < 0.9:
            data[at] ^= 1 << chance.randrange(8)
        else:
            del data[at : at + chance.randint(1, 9)]
        try:
            read_cards(bytes(data), places)
            second = ""
        except BROKEN as error:
            second = str(error)
        try:
            first_reads(bytes(data))
            first = ""
        except AuditError as error:
            first = str(error)
        assert bool(first) == bool(second), (at, first, second, whole[at - 30 : at + 10])
        refused += bool(second)
    assert refused > 500


def test_every_card_has_its_own_place() -> None:
    cards = some_cards(random.Random(9))
    assert len(with_phantoms(cards, manifest())) == sum(SIZES)
    data = file_of(cards)
    places = dict(zip(manifest().boxes, manifest().cards.tolist(), strict=True))
    read_cards(data, places)
    for smaller in (places | {"box 9": 2}, {box: size for box, size in places.items() if box != "zorzal"}):
        with pytest.raises(BROKEN, match="has not these positions"):
            read_cards(data, smaller)
