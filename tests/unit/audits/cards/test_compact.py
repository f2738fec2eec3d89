"""Our own file of cards: one form for the same records, and nothing else is read."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from scrutineer.audits.cards.compact import canonical, digest, write_cards
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.errors import AuditError

MAYOR = ContestColumn(
    "mayor", ("wren", "robin"), ((1,), (), (0,), (0, 1)), np.array([0, 2, -2, -1, 2, 0], np.int16), title="Mayor"
)
SONG = ContestColumn("anthem", ("lark", "owl"), ((1, 0), (0,)), np.array([1, 0, -1, 1, 1, -1], np.int8), most=2, ranked=True)
CARDS = Cards(
    (MAYOR, SONG),
    ("b2", "empty", "b1"),
    np.array([0, 2, 0, 2, 2, 0], np.int32),
    np.array([1, 1, 0, 0, 0, 2], np.int32),
    pa.array(["é", "e", "d", "c", "b", "a"]),
)
FILE = (
    b"scrutineer cards 1\n"
    b'{"batches":["b1","b2"],"cards":6,"contests":['
    b'{"id":"anthem","most":2,"options":["lark","owl"],"patterns":[[0],[1,0]],"ranked":true,"title":"","titles":[]},'
    b'{"id":"mayor","most":1,"options":["wren","robin"],"patterns":[[0],[1]],"ranked":false,"title":"Mayor","titles":[]}'
    b'],"letters":7}\n'
    + b"".join(number.to_bytes(4, "little") for number in (0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 2, 1, 1, 1, 1, 2, 1))
    + "bceédéa".encode().replace("éd".encode(), b"d")
    + bytes([0, 0, 1, 255, 0, 255])
    + bytes([0, 255, 0, 254, 1, 1])
)


def written(cards: Cards) -> bytes:
    pieces: list[bytes] = []
    write_cards(cards, lambda piece: pieces.append(bytes(piece)))
    return b"".join(pieces)


def read(tmp_path: Path, data: bytes) -> Cards:
    path = tmp_path / "cards"
    path.write_bytes(data)
    return read_cards(path, "compact")


def test_the_file_is_as_described():
    assert written(CARDS) == FILE
    assert digest(CARDS) == hashlib.sha256(FILE).digest()


def test_reading_gives_the_cards_back(tmp_path):
    path = tmp_path / "cards"
    path.write_bytes(FILE)
    assert recognise(path) == "compact"
    cards = read_cards(path)
    assert written(cards) == FILE
    assert cards.ids.to_pylist() == ["b", "c", "e", "d", "é", "a"]
    assert cards.column("mayor").pattern.tolist() == [0, -1, 0, -2, 1, 1]
    assert cards.column("anthem").patterns == ((0,), (1, 0))


def test_cards_in_canonical_order_stay_as_they_are(tmp_path):
    cards = canonical(CARDS)
    assert canonical(cards).ids.to_pylist() == cards.ids.to_pylist()


@pytest.mark.parametrize("seed", range(5))
def test_the_digest_does_not_depend_on_order(seed):
    random = np.random.default_rng(seed)
    cards = CARDS.select(random.permutation(len(CARDS)))
    turn = random.permutation(len(CARDS.batches))
    cards = replace(
        cards, batches=tuple(CARDS.batches[each] for each in turn), batch=np.argsort(turn)[cards.batch].astype(np.int32)
    )
    swap = random.permutation(4)
    mayor = cards.column("mayor")
    numbers = np.append(np.argsort(swap), [-2, -1]).astype(np.int32)
    mayor = replace(mayor, patterns=tuple(mayor.patterns[each] for each in swap), pattern=numbers[mayor.pattern])
    assert digest(replace(cards, contests=(cards.column("anthem"), mayor))) == digest(CARDS)


@pytest.mark.parametrize(
    "change",
    [
        {"position": np.array([1, 1, 0, 0, 0, 3], np.int32)},
        {"ids": pa.array(["é", "e", "d", "c", "b", "A"])},
        {"batches": ("b2", "empty", "b3")},
        {"contests": (replace(MAYOR, pattern=np.array([0, 2, -1, -1, 2, 0], np.int16)), SONG)},
        {"contests": (replace(MAYOR, most=2), SONG)},
        {"contests": (replace(MAYOR, options=("robin", "wren")), SONG)},
        {"contests": (MAYOR,)},
    ],
)
def test_the_digest_depends_on_everything_else(change):
    assert digest(replace(CARDS, **change)) != digest(CARDS)


def header(**changes) -> bytes:
    magic, line, rest = FILE.split(b"\n", 2)
    content = json.loads(line) | changes
    return b"\n".join((magic, json.dumps(content, separators=(",", ":"), sort_keys=True).encode(), rest))


def byte(place: int, value: int) -> bytes:
    data = bytearray(FILE)
    data[place] = value
    return bytes(data)


START = FILE.index(b"}\n") + 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FILE[:-1], "size is not what"),
        (FILE + b"\0", "size is not what"),
        (FILE.replace(b"cards 1", b"cards 2"), "not a file of cards"),
        (FILE.replace(b'"cards":6', b'"cards": 6'), "not in canonical form"),
        (header(more=1), "does not describe cards"),
        (header(cards=1 << 40), "no number of cards"),
        (header(cards=0), "no number of cards"),
        (header(cards=7), "size is not what"),
        (header(letters=-1), "no number of cards"),
        (header(batches=["b2", "b1"]), "not in order"),
        (header(batches=["b1", "b2", "b3"]), "no card lies"),
        (header(batches=["b1", "b1"]), "no two alike"),
        (header(batches=["b1", "b\x00"]), "control characters"),
        (byte(START + 4, 1), "cards are not in order"),
        (byte(START + 24, 1), "cards are not in order"),
        (byte(START + 48, 2), "lengths of ids do not add up"),
        (byte(START + 72, 0), "control characters"),
        (byte(START + 72, ord("c")), "card 'c' stands there twice"),
        (byte(START + 72, 0xFF), "not text in UTF-8"),
        (byte(START + 72, ord("z")), "cards are not in order"),
        (byte(len(FILE) - 1, 2), "a card bears a pattern that is not listed"),
        (byte(len(FILE) - 2, 0xFD), "a card bears a pattern that is not listed"),
    ],
)
def test_no_other_bytes_are_read(tmp_path, data, message):
    with pytest.raises(AuditError, match=message):
        read(tmp_path, data)


def test_a_way_of_marking_that_no_card_bears_is_refused(tmp_path):
    data = FILE[:-6] + bytes([0, 255, 0, 254, 0, 0])
    with pytest.raises(AuditError, match="borne by no card"):
        read(tmp_path, data)
