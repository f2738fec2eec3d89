"""Holds a manifest against published counts, or against the records of cards.

A manifest is made by people who counted paper; counts and records come from the voting system. Where they differ an audit cannot
lean on the system. Fewer records than cards: the cards without a record (phantoms) are counted as the worst case, and the audit
goes on. More records than cards, or records of boxes that there are not: no sample of the paper could ever meet them, so an audit
is refused until the difference is explained.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scrutineer.audits.cards.assembly import joined
from scrutineer.audits.cards.model import UNKNOWN, Cards, PatternNumbers
from scrutineer.audits.manifest import Manifest
from scrutineer.errors import AuditError

PHANTOM: Final = "phantom "
"""How the ids of cards begin that the manifest counts and of which there is no record."""


class Disagreement(StrEnum):
    """In which way a box differs."""

    TOO_FEW = "too-few"
    """Fewer records, or a smaller published count, than cards in the box."""
    TOO_MANY = "too-many"
    """More records, or a larger published count, than cards in the box."""
    NO_BOX = "no-box"
    """Records or a published count of a box that the manifest does not list."""
    NO_COUNT = "no-count"
    """A box with cards of which there is no record or no published count."""
    POSITION = "position"
    """A record says that a card lies at a place that the box does not have, or two records name the same place."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One box in which manifest and records differ."""

    kind: Disagreement
    box: str
    manifest: int | None
    """Cards in the box; None: not listed."""
    found: int | None
    """Records or published count; None: none. Of POSITION: the place."""
    refused: bool
    """An audit may not start with this difference; otherwise it counts the missing as the worst case."""

    def text(self) -> str:
        """What differs and what to do, for people."""
        box = f"box {self.box!r}: "
        match self.kind:
            case Disagreement.NO_BOX:
                return f"{box}{self.found} cards are counted there, and the manifest has no such box; find out where they lie"
            case Disagreement.TOO_MANY:
                return (
                    f"{box}{self.found} cards are counted, and the manifest has {self.manifest}; count the cards in the box, and "
                    "correct what is wrong before the audit starts"
                )
            case Disagreement.POSITION:
                return (
                    f"{box}a record names place {self.found}, which the box of {self.manifest} cards does not have, or which "
                    "another record names too; look for the card by its printed id"
                )
            case Disagreement.TOO_FEW | Disagreement.NO_COUNT:
                counted = f"{self.found} cards are counted" if self.found else "no card is counted"
                return f"{box}{counted}, and the manifest has {self.manifest}; " + (
                    "find out which is right before the audit starts"
                    if self.refused
                    else "the others are taken as the worst case, unless their records are found"
                )
            case _:
                assert_never(self.kind)


def against_cards(manifest: Manifest, cards: Cards) -> tuple[Finding, ...]:
    """Where a manifest and the records of cards differ, boxes in ascending order; empty where they agree."""
    counts = np.bincount(cards.batch, minlength=len(cards.batches)).tolist()
    found = {box: count for box, count in zip(cards.batches, counts, strict=True) if count}
    findings = [_finding(manifest, box, found.get(box), exact=False) for box in {*manifest.boxes, *found}]
    key = (cards.batch.astype(np.int64) << 31) + cards.position
    places = np.array([manifest.index.get(box, -1) for box in cards.batches], np.int64)[cards.batch]
    room = np.where(places >= 0, manifest.cards[places] if len(manifest.boxes) else 0, np.iinfo(np.int64).max)
    wrong = set(key[cards.position > room].tolist())
    key = np.sort(key[cards.position > 0])
    wrong |= set(key[1:][key[1:] == key[:-1]].tolist())
    for each in wrong:
        box, position = cards.batches[each >> 31], each & ((1 << 31) - 1)
        inside = manifest.index.get(box)
        findings.append(
            Finding(Disagreement.POSITION, box, None if inside is None else int(manifest.cards[inside]), position, refused=False)
        )
    return _in_order(findings)


def against_counts(manifest: Manifest, counts: Mapping[str, int]) -> tuple[Finding, ...]:
    """Where a manifest and published counts of cards by box differ. Every difference in a number is refused."""
    return _in_order([_finding(manifest, box, counts.get(box), exact=True) for box in {*manifest.boxes, *counts}])


def with_phantoms(cards: Cards, manifest: Manifest) -> Cards:
    """The cards with one UNKNOWN card, at the end, for each that the manifest counts and that has no record.

    Batches become the boxes of the manifest, in its order. Phantoms have the ids `phantom <box> <n>`, n from 1, and the lowest
    free places of their box. Raises AuditError for a difference that is refused, and for a record that calls itself a phantom.
    """
    for finding in against_cards(manifest, cards):
        if finding.refused:
            raise AuditError(finding.text())
    moved = np.array([manifest.index.get(box, -1) for box in cards.batches], np.int32)[cards.batch]
    missing = manifest.cards - np.bincount(moved, minlength=len(manifest.boxes))
    count = int(missing.sum())
    if not count:
        return replace(cards, batches=manifest.boxes, batch=moved)
    if pc.any(pc.starts_with(cards.ids, PHANTOM)).as_py():
        raise AuditError(f"a record has an id that starts with {PHANTOM!r}, as those of cards without a record do; rename it")
    boxes = np.repeat(np.arange(len(manifest.boxes), dtype=np.int32), missing)
    positions = np.zeros(count, np.int32)
    order = np.argsort(moved, kind="stable")
    ends = np.searchsorted(moved[order], np.arange(len(manifest.boxes)), side="right")
    names: list[str] = []
    for box in np.flatnonzero(missing).tolist():
        taken = cards.position[order[ends[box - 1] if box else 0 : ends[box]]]
        free = np.setdiff1d(np.arange(1, int(manifest.cards[box]) + 1, dtype=np.int32), taken)[: int(missing[box])]
        start = len(names)
        positions[start : start + len(free)] = free
        names += [f"{PHANTOM}{manifest.boxes[box]} {number}" for number in range(1, int(missing[box]) + 1)]
    return Cards(
        tuple(replace(each, pattern=_with_unknown(each.pattern, count)) for each in cards.contests),
        manifest.boxes,
        np.concatenate([moved, boxes]),
        np.concatenate([cards.position, positions]),
        joined([cards.ids, pa.array(names, pa.string())]),
    )


def _with_unknown(pattern: PatternNumbers, count: int) -> PatternNumbers:
    whole: PatternNumbers = np.concatenate([pattern, np.full(count, UNKNOWN, pattern.dtype)])
    return whole


def _finding(manifest: Manifest, box: str, found: int | None, *, exact: bool) -> Finding | None:
    place = manifest.index.get(box)
    listed = None if place is None else int(manifest.cards[place])
    if listed is None:
        # A published count of nothing in a box that is not there contradicts nobody.
        return Finding(Disagreement.NO_BOX, box, None, found, refused=True) if found else None
    if found is None:
        return Finding(Disagreement.NO_COUNT, box, listed, None, refused=exact) if listed else None
    if found == listed:
        return None
    if found < listed:
        return Finding(Disagreement.TOO_FEW, box, listed, found, refused=exact)
    return Finding(Disagreement.TOO_MANY, box, listed, found, refused=True)


def _in_order(findings: list[Finding | None]) -> tuple[Finding, ...]:
    return tuple(sorted((each for each in findings if each), key=lambda each: (each.box.encode(), each.kind, each.found or 0)))
