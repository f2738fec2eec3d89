"""Draws Arlo's samples again: batches by PPEB, ballots by the consistent sampler, and what is audited on top of a sample.

Source: votingworks/arlo (8d86156), server/audit_math/sampler.py, server/api/rounds.py and shared.py; the rules of drawing are
those of `sampling.ppeb` and `sampling.consistent`.
"""

import heapq
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from scrutineer.audits.cards.sources import Progress, silent
from scrutineer.audits.replay.arlo_files import ArloFiles, ManifestBatch, TotalsFile
from scrutineer.audits.replay.arlo_model import EXTRA, ReportedBallot, ReportedBatch, ReportedContest
from scrutineer.audits.sampling.consistent import consistent_sample, cut_off, first_number, next_number, tuple_text
from scrutineer.audits.sampling.ppeb import TICKET_DIGITS, ArloBatch, ArloContest, BatchDraw, BatchKey, draw_batches
from scrutineer.errors import AuditError

BallotKey = tuple[str, str | None, str, int]
"""Jurisdiction, tabulator (None where the manifest has none), batch and position, from 1."""

TOTALS_ORDER: Final = "as the candidate totals have them"
NAME_ORDER: Final = "by name"
ORDERS_WITHIN: Final = (TOTALS_ORDER, "as the manifest has them", NAME_ORDER)
"""Orders of the batches of a jurisdiction. Arlo's is the first; the others are for files that were put in order afterwards."""
_BY_DEVICE: Final = {"Advanced Voting", "Advance Voting", "Election Day", "Elections Day"}
"""Counting groups whose ballots are marked on a device, as Georgia's manifests name them in the column Container."""
_BY_MAIL: Final = {"Absentee by Mail", "Provisional"}
_LEAST_SHARE: Final = 0.02
"""The share of a jurisdiction's ballots that is audited at least where its batches have counting groups."""


def arlo_contest(contest: ReportedContest, *, earlier: bool = False) -> ArloContest:
    """A contest of the report as the draw asks for it, or as it did before November 2024.

    Raises AuditError for one without a loser.
    """
    return ArloContest(contest.votes, contest.winners, contest.votes_allowed, contest.pending, contest.majority, not earlier)


def batches_of(
    contest: ReportedContest, files: ArloFiles, jurisdictions: Sequence[str], *, alone: bool, within: str = TOTALS_ORDER
) -> tuple[ArloBatch, ...]:
    """The batches that a contest is drawn from: jurisdiction by jurisdiction, and in each in one of ORDERS_WITHIN.

    Raises AuditError for a batch that stands only in the manifest, or only in the totals.
    """
    ballots = {each.key: each.ballots for each in files.manifest}
    by_jurisdiction = {each.jurisdiction: each for each in files.totals}
    made: list[ArloBatch] = []
    for jurisdiction in jurisdictions:
        totals = by_jurisdiction[jurisdiction]
        rows = totals.votes(contest, alone=alone)
        if rows is not None and within != TOTALS_ORDER:
            places = {name: place for place, (own, name) in enumerate(ballots) if own == jurisdiction and within != NAME_ORDER}
            rows = tuple(sorted(rows, key=lambda row: (places.get(row[0], 0), row[0])))
        for name, votes in rows or ():
            if (jurisdiction, name) not in ballots:
                raise AuditError(
                    f"{totals.where}: the manifest of {jurisdiction} has no batch {name!r}; give the one of this audit"
                )
            made.append(ArloBatch((jurisdiction, name), votes, ballots[jurisdiction, name]))
        missing = {key[1] for key in ballots if key[0] == jurisdiction} - {name for name, _ in rows or ()}
        if rows is not None and missing:
            raise AuditError(f"{totals.where}: has no totals of batch {min(missing)!r}, which stands in the manifest")
    if not made:
        raise AuditError(f"no file of candidate totals has contest {contest.name!r}; give those of its jurisdictions")
    return tuple(made)


def holding(contest: ReportedContest, files: ArloFiles, *, alone: bool) -> tuple[TotalsFile, ...]:
    """The files of candidate totals that have a contest."""
    held = files.universe.get(contest.name) if files.universe is not None else None
    return tuple(
        each
        for each in files.totals
        if (held is None or each.jurisdiction in held) and each.votes(contest, alone=alone) is not None
    )


def orders(jurisdictions: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Ways in which a database may have put the names of jurisdictions in order, each with words for it.

    The order is part of the draw, and the report does not say which it was: databases differ in whether capital letters and
    spaces count.
    """
    names = sorted(set(jurisdictions))
    seen: set[tuple[str, ...]] = set()
    ways = (
        (
            "by name, capital letters and spaces not counting",
            lambda name: (re.sub(r"[\W_]", "", name).casefold(), name.swapcase()),
        ),
        ("by name, capital letters not counting", lambda name: (name.casefold(), name.swapcase())),
        ("by name, letter by letter", lambda name: (name, name)),
    )
    for words, key in ways:
        order = tuple(sorted(names, key=key))
        if order not in seen:
            seen.add(order)
            yield words, order


def draw_batch_rounds(
    seed: str, contest: ArloContest, batches: Sequence[ArloBatch], sizes: Sequence[int]
) -> tuple[tuple[BatchDraw, ...], ...]:
    """By round: the draws of a contest. Raises AuditError as `draw_batches` does."""
    rounds: list[tuple[BatchDraw, ...]] = []
    for size in sizes:
        earlier = [draw.batch for each in rounds for draw in each]
        rounds.append(draw_batches(seed, contest, batches, size, earlier))
    return tuple(rounds)


def draw_ballot_rounds(
    seed: str,
    batches: Sequence[ManifestBatch],
    sizes: Sequence[int],
    *,
    replacement: bool = True,
    progress: Progress = silent,
) -> tuple[tuple[tuple[str, BallotKey], ...], ...]:
    """By round: the ticket numbers and ballots drawn from the batches, in the order of drawing.

    Raises AuditError for a batch that stands twice.
    """
    if len({(each.jurisdiction, each.tabulator, each.name) for each in batches}) != len(batches):
        raise AuditError("a batch stands twice in the manifests: each has one line")
    # Only ballots with the least first numbers can be drawn, at most as many as there are draws: nothing else is kept.
    first = heapq.nsmallest(sum(sizes), _first_numbers(seed, batches, progress))
    keys = {text: key for _, text, key in first}
    drawn = consistent_sample(keys, seed, sum(sizes), replacement=replacement, digits=TICKET_DIGITS)
    rounds, start = [], 0
    for size in sizes:
        rounds.append(tuple((ticket.number, keys[ticket.id]) for ticket in drawn[start : start + size]))
        start += size
    return tuple(rounds)


def _first_numbers(seed: str, batches: Sequence[ManifestBatch], progress: Progress) -> Iterator[tuple[str, str, BallotKey]]:
    """Of every ballot its first ticket number, the text it is drawn by, and what it is."""
    done, total = 0, sum(each.ballots for each in batches)
    for each in batches:
        progress("Drawing again", done, total)
        done += each.ballots
        for position in range(1, each.ballots + 1):
            key = (each.jurisdiction, each.tabulator, each.name, position)
            text = ballot_id(*key)
            yield first_number(text, seed), text, key


def ballot_id(jurisdiction: str, tabulator: str | None, batch: str, position: int) -> str:
    """The text by which Arlo draws a ballot."""
    return tuple_text((jurisdiction, tabulator, batch), position)


def ballot_tickets(seed: str, key: BallotKey, count: int) -> tuple[str, ...]:
    """The first ticket numbers of a ballot, which follow from its names and the seed alone."""
    made = [first_number(ballot_id(*key), seed)] if count else []
    while len(made) < count:
        made.append(next_number(made[-1]))
    return tuple(cut_off(number, TICKET_DIGITS) for number in made)


def batch_tickets(seed: str, key: BatchKey, count: int) -> tuple[str, ...]:
    """The first ticket numbers of a batch, likewise; each follows from the one before as it is printed."""
    made = [cut_off(first_number(tuple_text(*key), seed), TICKET_DIGITS)] if count else []
    while len(made) < count:
        made.append(cut_off(next_number(made[-1]), TICKET_DIGITS))
    return tuple(made)


def reported_batches(rows: Sequence[ReportedBatch], contest: str) -> dict[BatchKey, dict[int, list[str]]]:
    """By batch and round: the ticket numbers that the report has for a contest, without batches audited on top."""
    found: dict[BatchKey, dict[int, list[str]]] = {}
    for row in rows:
        for ticket in row.tickets.get(contest, ()):
            if ticket.number != EXTRA:
                found.setdefault((row.jurisdiction, ticket.batch), {}).setdefault(ticket.round, []).append(ticket.number)
    return found


def reported_ballots(rows: Sequence[ReportedBallot], contest: str) -> dict[BallotKey, dict[int, list[str]]]:
    """By ballot and round: the ticket numbers that the report has for a contest."""
    found: dict[BallotKey, dict[int, list[str]]] = {}
    for row in rows:
        for ticket in row.tickets.get(contest, ()):
            found.setdefault(key_of(row), {}).setdefault(ticket.round, []).append(ticket.number)
    return found


def key_of(row: ReportedBallot) -> BallotKey:
    """The ballot of a row. A tabulator that is not named is none."""
    return row.jurisdiction, row.tabulator or None, row.batch, row.position


def extra_by_counting_group(
    seed: str, manifest: Sequence[ManifestBatch], jurisdictions: Iterable[str], sampled: Iterable[BatchKey]
) -> set[BatchKey]:
    """Batches that Georgia's audits add in the first round: one of each counting group, and at least 2 % of the ballots."""
    chance = random.Random(seed)  # noqa: S311 (what Arlo draws these by; nothing of ours is drawn so)
    drawn, extra = set(sampled), set[BatchKey]()
    for jurisdiction in sorted(jurisdictions):
        own = {each.key: each for each in manifest if each.jurisdiction == jurisdiction}
        added: set[BatchKey] = set()
        for group in (_BY_DEVICE, _BY_MAIL):
            keys = {key for key, each in own.items() if each.container in group}
            if keys and not keys & drawn:
                added.add(_choice(chance, sorted(keys)))
        total = sum(each.ballots for each in own.values())
        while total and sum(each.ballots for key, each in own.items() if key in drawn or key in added) / total < _LEAST_SHARE:
            added.add(_choice(chance, sorted(set(own) - drawn - added)))
        extra |= added
    return extra


def extra_one_each(
    seed: str,
    manifest: Sequence[ManifestBatch],
    jurisdictions: Iterable[str],
    sampled: Iterable[BatchKey],
    required: Iterable[BatchKey],
) -> set[BatchKey]:
    """Batches that Maryland's audits add: those that the law asks for, and one of each jurisdiction that has none by then."""
    chance = random.Random(seed)  # noqa: S311 (as above)
    drawn = set(sampled)
    extra = set(required) - drawn
    for jurisdiction in sorted(jurisdictions):
        keys = sorted(each.key for each in manifest if each.jurisdiction == jurisdiction)
        if keys and not any(key[0] == jurisdiction for key in chain(drawn, extra)):
            extra.add(_choice(chance, keys))
    return extra


def counting_groups(manifest: Sequence[ManifestBatch]) -> bool:
    """Whether all batches are in one of the counting groups."""
    return bool(manifest) and all(each.container in _BY_DEVICE | _BY_MAIL for each in manifest)


def _choice(chance: random.Random, keys: Sequence[BatchKey]) -> BatchKey:
    """One of some keys, by as many random bits as their number has, thrown again while they show too much."""
    bits = len(keys).bit_length()
    while (place := chance.getrandbits(bits)) >= len(keys):
        pass
    return keys[place]


def chained(rounds: Mapping[int, Sequence[str]]) -> tuple[str, ...]:
    """The ticket numbers of one unit over all rounds, in the order in which they must have been made."""
    return tuple(number for each in sorted(rounds) for number in sorted(rounds[each]))
