"""Holds a manifest against published counts, or against the records of cards.

A manifest is made by people who counted paper; counts and records come from the voting system. Where they differ an audit cannot
lean on the system. Fewer records than cards: the cards without a record (phantoms) are counted as the worst case, and the audit
goes on. More records than cards, or records of boxes that there are not: no sample of the paper could ever meet them, so an audit
is refused until the difference is explained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scrutineer.audits.cards.model import Cards
from scrutineer.audits.manifest import Manifest


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
        raise NotImplementedError


def against_cards(manifest: Manifest, cards: Cards) -> tuple[Finding, ...]:
    """Where a manifest and the records of cards differ, boxes in ascending order; empty where they agree."""
    raise NotImplementedError


def against_counts(manifest: Manifest, counts: Mapping[str, int]) -> tuple[Finding, ...]:
    """Where a manifest and published counts of cards by box differ. Any difference in a number is refused."""
    raise NotImplementedError


def with_phantoms(cards: Cards, manifest: Manifest) -> Cards:
    """The cards with one UNKNOWN card, at the end, for each that the manifest counts and that has no record.

    Batches become the boxes of the manifest, in its order. Phantoms have the ids `phantom <box> <n>`, n from 1, and the lowest
    free places of their box. Raises AuditError for a difference that is refused.
    """
    raise NotImplementedError
