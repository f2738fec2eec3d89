"""The manifest: which boxes there are and how many cards lie in each, established without the voting system.

Canonical form: a CSV file in UTF-8 with the columns `box,cards`, one line for each box, ended by LF, boxes in ascending order of
their bytes, no quotes but where a cell needs them (RFC 4180). Its SHA-256 is what a plan commits to.
"""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.errors import AuditError

HEADER: Final = ("box", "cards")
MOST_BOXES: Final = 5_000_000
MOST_CARDS: Final = 2**31 - 1
"""In one box."""
LONGEST_NAME: Final = 200
"""Bytes of a box's name."""
MOST_BYTES: Final = 1 << 30
"""Of the canonical form."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """Boxes in ascending order of their names' bytes, and how many cards lie in each.

    A box may hold no card. Raises AuditError for a name that is empty, too long, doubled, out of order, or not one plain line,
    and for a number of cards that is negative or too large.
    """

    boxes: tuple[str, ...]
    cards: NDArray[np.int64]

    def __post_init__(self) -> None:
        cards = np.ascontiguousarray(self.cards, dtype=np.int64)
        if cards.ndim != 1 or len(cards) != len(self.boxes):
            raise AuditError(f"manifest: {len(self.boxes)} boxes, but {cards.size} numbers of cards; give one for each box")
        if len(self.boxes) > MOST_BOXES:
            raise AuditError(f"manifest: {len(self.boxes)} boxes are more than the {MOST_BOXES} that one manifest may list")
        for place in np.flatnonzero((cards < 0) | (cards > MOST_CARDS))[:1]:
            raise AuditError(
                f"manifest: box {self.boxes[place]!r} is said to hold {cards[place]} cards; give a number from 0 to {MOST_CARDS}"
            )
        before = b""
        for box in self.boxes:
            name = name_bytes(box)
            if name <= before:
                raise AuditError(
                    f"manifest: box {box!r} stands there twice; count it once, or give the two boxes different names"
                    if name == before
                    else f"manifest: box {box!r} is out of order; sort the boxes by the bytes of their names"
                )
            before = name
        cards = cards.copy()
        cards.setflags(write=False)
        object.__setattr__(self, "cards", cards)

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> "Manifest":
        """The manifest of boxes in any order. Raises AuditError as the class does."""
        rows = list(counts)
        for box, cards in rows:
            if not 0 <= cards <= MOST_CARDS:
                raise AuditError(f"manifest: box {box!r} is said to hold {cards} cards; give a number from 0 to {MOST_CARDS}")
        rows.sort(key=lambda row: name_bytes(row[0]))
        return cls(tuple(box for box, _ in rows), np.array([cards for _, cards in rows], np.int64))

    @property
    def total(self) -> int:
        """All cards together."""
        return int(self.cards.sum())

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """By box: the number of its last card, where the cards of all boxes are numbered on from 1."""
        return np.cumsum(self.cards, dtype=np.int64)

    @cached_property
    def index(self) -> dict[str, int]:
        """The place of each box in `boxes`."""
        return {box: place for place, box in enumerate(self.boxes)}

    def box_of(self, card: int) -> tuple[str, int]:
        """The box in which a card lies and its place there, from 1. Raises AuditError where there is no such card."""
        places, positions = self.boxes_of(np.array([card], np.int64))
        return self.boxes[int(places[0])], int(positions[0])

    def boxes_of(self, cards: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """By card number (from 1): the place of its box in `boxes`, and its place in the box (from 1).

        Raises AuditError for a card that there is not.
        """
        wrong = cards[(cards < 1) | (cards > self.total)]
        if wrong.size:
            raise AuditError(f"manifest: there is no card {wrong[0]}; cards are numbered from 1 to {self.total}")
        places = np.searchsorted(self.ends, cards, side="left").astype(np.int64)
        return places, cards - (self.ends - self.cards)[places]

    def encode(self) -> bytes:
        """The canonical form."""
        out = io.StringIO(newline="")
        table = csv.writer(out, lineterminator="\n")
        table.writerow(HEADER)
        table.writerows(zip(self.boxes, self.cards.tolist(), strict=True))
        return out.getvalue().encode()

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.encode()).digest()


def name_bytes(box: str) -> bytes:
    """The bytes of a box's name. Raises AuditError for a name that is empty, too long or not one plain line."""
    try:
        name = box.encode()
    except UnicodeEncodeError as error:
        raise AuditError(f"box {box!r}: its name is not Unicode text; give it another") from error
    if not name or len(name) > LONGEST_NAME:
        raise AuditError(f"box {box[:40]!r}: a name has 1 to {LONGEST_NAME} bytes in UTF-8")
    if (name.isascii() and not box.isprintable()) or box != box.strip():
        raise AuditError(f"box {box!r}: leave out control characters, and spaces around the name")
    if not name.isascii() and any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} for letter in box):
        raise AuditError(f"box {box!r}: leave out characters that cannot be seen")
    return name


def read_manifest(data: bytes) -> Manifest:
    """The manifest in its canonical form. Raises AuditError, naming the line, for anything else."""
    if len(data) > MOST_BYTES:
        raise AuditError(f"manifest: {len(data)} bytes are more than a manifest may have ({MOST_BYTES})")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise AuditError(f"manifest: byte {error.start} is not UTF-8; save the file as CSV in UTF-8") from error
    counts: list[tuple[str, int]] = []
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(rows, ())) != HEADER:
            raise AuditError("manifest, line 1: the canonical form starts with the line box,cards")
        for row in rows:
            if len(row) != len(HEADER) or not (row[1].isascii() and row[1].isdigit() and len(row[1]) <= len(str(MOST_CARDS))):
                raise AuditError(f"manifest, line {rows.line_num}: give the name of a box and a number of cards (0 or more)")
            counts.append((row[0], int(row[1])))
    except csv.Error as error:
        raise AuditError(f"manifest, line {rows.line_num}: not a line of a CSV file ({error})") from error
    manifest = Manifest(tuple(box for box, _ in counts), np.array([cards for _, cards in counts], np.int64))
    if manifest.encode() != data:
        raise AuditError(
            "manifest: not in canonical form (quotes only where needed, lines ended by LF, numbers without leading zeros); "
            "write it anew with the program that made it"
        )
    return manifest
