"""Records of single cards in a plan: which election's contests they are of, and what they say of its tests."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.cards.compact import read_compact, write_cards
from scrutineer.audits.cards.model import ABSENT, Cards
from scrutineer.audits.cards.sources import Source
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.manifest_check import with_phantoms
from scrutineer.audits.plan import CARDS_FILE
from scrutineer.election import Contest
from scrutineer.errors import AuditError


def cards_of(cards: Cards, contests: Sequence[Contest]) -> Cards:
    """The records of some contests, with the options of the definition in its order. Raises AuditError for others' options."""
    found = cards.only([contest.id for contest in contests])
    columns = [
        column.renamed(contest.id, [option.id for option in contest.options], {}, _most(contest))
        for column, contest in zip(found.contests, contests, strict=True)
    ]
    return Cards(tuple(columns), found.batches, found.batch, found.position, found.ids)


def _most(contest: Contest) -> int | None:
    """How many options a card may mark; a ranked contest says nothing of it."""
    return None if contest.rule == "ranked" else contest.choices_allowed()


def cards_file(cards: Cards) -> bytes:
    """The file that a plan commits to: the same for the same records in any order."""
    out = io.BytesIO()
    write_cards(cards, out.write)
    return out.getvalue()


def placed_cards(cards: Cards, manifest: Manifest) -> Cards:
    """The records, and one that says nothing for each card of the manifest without one: every card of the manifest has its own.

    Raises AuditError for records that do not say where their cards lie, or of which two lie in one place: a drawn card could not
    be held against its own record then.
    """
    whole = with_phantoms(cards, manifest)
    boxes = np.array([manifest.index[box] for box in whole.batches], np.int64)[whole.batch]
    keys = np.sort((boxes << 31) + whole.position)
    if not (whole.position > 0).all() or (whole.position > manifest.cards[boxes]).any() or (keys[1:] == keys[:-1]).any():
        raise AuditError(
            "the records do not say of every card in which place of its box it lies, each place once: number the cards of each "
            "box, or choose a design that needs no records"
        )
    if len(whole) != manifest.total:
        raise AuditError(f"there are {len(whole)} records, and the manifest has {manifest.total} cards")
    return whole


def can_hold(cards: Cards, contest: str) -> int:
    """How many of `placed_cards` can hold a contest by their records; one of which no record says anything can."""
    return int(np.count_nonzero(cards.column(contest).pattern != ABSENT))


def read_records(data: bytes) -> Cards:
    """The records of a plan. Raises AuditError for a file that holds none."""
    return read_compact(Source(CARDS_FILE, len(data), lambda: io.BytesIO(data)))


def recorded_boxes(records: Cards, manifest: Manifest) -> NDArray[np.bool_]:
    """Which boxes of the manifest have records, of some of their cards at least; `records` before they are `placed_cards`."""
    own = set(records.batches)
    return np.array([box in own for box in manifest.boxes], np.bool_)
