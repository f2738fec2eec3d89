"""Whatever cards there are: all formats give them back alike, in any order; changed bytes lead to AuditError alone."""

import json
import random
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrutineer.audits.cards.compact import digest, write_cards
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.reading import FORMATS, read_cards
from scrutineer.audits.manifest import Manifest, read_manifest
from scrutineer.audits.manifest_check import against_cards, with_phantoms
from scrutineer.errors import AuditError

BIRDS = ("1", "2", "3", "4")
Marked = dict[str, tuple[str, ...]]
"""By contest the options marked on one card."""

contests = st.fixed_dictionaries({}, optional={"7": st.sets(st.sampled_from(BIRDS)), "8": st.sets(st.sampled_from(BIRDS))})
elections = st.lists(contests, min_size=1, max_size=30).map(
    lambda cards: [{contest: tuple(sorted(marks)) for contest, marks in card.items()} for card in cards]
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(count: int) -> list[tuple[int, int, int]]:
    """Tabulator, batch and place of each card."""
    return [(1 + number // 9, 1 + number // 4, 1 + number % 4) for number in range(count)]


def as_json(cards: list[Marked], order: list[int]) -> bytes:
    sessions = []
    for number in order:
        tabulator, batch, place = places(len(cards))[number]
        marked = [
            {"Id": int(contest), "Marks": [{"CandidateId": int(each), "Rank": 1, "IsVote": True} for each in marks]}
            for contest, marks in cards[number].items()
        ]
        record = {"IsCurrent": True, "Contests": marked}
        sessions.append({"TabulatorId": tabulator, "BatchId": batch, "RecordId": place, "Original": record})
    return json.dumps({"Version": "5.2", "ElectionId": "Aves", "Sessions": sessions}).encode()


def as_csv(cards: list[Marked], order: list[int]) -> bytes:
    head = [["Aves", "5.2"], [""] * 5, [""] * 5, ["CvrNumber", "TabulatorNum", "BatchId", "RecordId", "ImprintedId"] + [""] * 8]
    for contest in ("7", "8"):
        head[1] += [f"{contest} (Vote For=4)"] * 4
        head[2] += BIRDS
    rows = []
    for number in order:
        tabulator, batch, place = places(len(cards))[number]
        row = [number, tabulator, batch, place, f"{tabulator}-{batch}-{place}"]
        for contest in ("7", "8"):
            marks = cards[number].get(contest)
            row += [""] * 4 if marks is None else [int(bird in marks) for bird in BIRDS]
        rows.append(row)
    return "".join(",".join(map(str, row)) + "\n" for row in [*head, *rows]).encode()


def as_raire(cards: list[Marked], order: list[int]) -> bytes:
    lines = ["2", "Contest,7,4,1,2,3,4", "Contest,8,4,1,2,3,4"]
    for number in order:
        name = "-".join(map(str, places(len(cards))[number]))
        lines += [",".join((contest, name, *marks)) for contest, marks in cards[number].items()]
    return ("\n".join(lines) + "\n").encode()


def read(data: bytes, format_name: str | None = None) -> Cards:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cards"
        path.write_bytes(data)
        return read_cards(path, format_name)


def told(cards: Cards) -> dict[str, Marked]:
    """By id the marks on each card, as names."""
    found: dict[str, Marked] = {name: {} for name in cards.ids.to_pylist()}
    for column in cards.contests:
        for name, number in zip(cards.ids.to_pylist(), column.pattern.tolist(), strict=True):
            if number >= 0:
                found[name][column.id] = tuple(column.options[option] for option in column.patterns[number])
    return found


@quick
@given(elections, st.randoms(use_true_random=False))
def test_every_format_gives_the_cards_back_and_the_digest_knows_no_order(cards, shuffler: random.Random):
    order = list(range(len(cards)))
    shuffler.shuffle(order)
    expected = {"-".join(map(str, place)): card for place, card in zip(places(len(cards)), cards, strict=True)}
    for write in (as_json, as_csv):
        first, second = read(write(cards, sorted(order))), read(write(cards, order))
        assert told(first) == expected
        assert told(second) == expected
        assert digest(first) == digest(second)
    held = {name: card for name, card in expected.items() if card}
    if held:
        first, second = read(as_raire(cards, sorted(order))), read(as_raire(cards, order))
        assert told(first) == held
        assert digest(first) == digest(second)


@quick
@given(elections, st.randoms(use_true_random=False))
def test_our_own_file_gives_the_same_digest_and_the_same_bytes(cards, shuffler: random.Random):
    order = list(range(len(cards)))
    shuffler.shuffle(order)
    first = read(as_csv(cards, order))
    pieces: list[bytes] = []
    assert write_cards(first, lambda piece: pieces.append(bytes(piece))) == digest(first)
    again = read(b"".join(pieces))
    assert told(again) == told(first)
    assert digest(again) == digest(first)


@quick
@given(elections, st.sampled_from((as_json, as_csv, as_raire)), st.data())
def test_bytes_that_were_changed_are_read_or_refused_and_nothing_else(cards, write, data):
    whole = bytearray(write(cards, list(range(len(cards)))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        change = data.draw(st.sampled_from(("byte", "cut", "double")))
        if change == "byte":
            whole[place] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del whole[place : place + data.draw(st.integers(1, 40))]
        else:
            whole[place:place] = whole[place : place + 40]
        whole = whole or bytearray(b"x")
    for name in (None, data.draw(st.sampled_from(sorted(FORMATS)))):
        try:
            found = read(bytes(whole), name)
        except AuditError:
            continue
        assert len(found) == len(set(found.ids.to_pylist()))


@quick
@given(elections, st.data())
def test_our_own_file_is_refused_when_a_single_byte_is_another(cards, data):
    made = read(as_csv(cards, list(range(len(cards)))))
    pieces: list[bytes] = []
    write_cards(made, lambda piece: pieces.append(bytes(piece)))
    whole = bytearray(b"".join(pieces))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = read(bytes(whole), "compact")
    except AuditError:
        return
    # Another card may be meant by the changed byte: then it is another file of cards, written in its one form.
    again: list[bytes] = []
    write_cards(found, lambda piece: again.append(bytes(piece)))
    assert b"".join(again) == bytes(whole)


@quick
@given(elections, st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_with_phantoms_every_box_holds_what_the_manifest_counts(cards, counts):
    made = read(as_csv(cards, list(range(len(cards)))))
    manifest = Manifest.of((f"{1 + number * 4 // 9}-{1 + number}", cards) for number, cards in enumerate(counts))
    refused = any(finding.refused for finding in against_cards(manifest, made))
    try:
        whole = with_phantoms(made, manifest)
    except AuditError:
        assert refused
        return
    assert not refused
    assert np.bincount(whole.batch, minlength=len(manifest.boxes)).tolist() == manifest.cards.tolist()
    assert len(set(whole.ids.to_pylist())) == manifest.total
    assert told(made).items() <= told(whole).items()
    assert all(column.unknown() == manifest.total - len(made) for column in whole.contests)


@quick
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.integers(0, 2**31 - 1), max_size=20), st.data())
def test_a_manifest_has_one_form_and_every_card_one_place(boxes, data):
    try:
        manifest = Manifest.of(boxes.items())
    except AuditError:
        assert any(name != name.strip() or not name.isprintable() for name in boxes)
        return
    again = read_manifest(manifest.encode())
    assert dict(zip(again.boxes, again.cards.tolist(), strict=True)) == boxes
    assert (again.hash, again.encode()) == (manifest.hash, manifest.encode())
    if manifest.total:
        card = data.draw(st.integers(1, manifest.total))
        box, position = manifest.box_of(card)
        assert 1 <= position <= boxes[box]
        assert position + sum(boxes[name] for name in manifest.boxes[: manifest.index[box]]) == card
