"""Replays in a few calls, for published audits whose files have a shape of their own.

    from scrutineer.audits.replay.plain import Contest, draw, risk

    contest = Contest({"Heron": 5200, "Wren": 4800})
    batches = {("Finch County", "Box 1"): (410, {"Heron": 230, "Wren": 160}), ...}
    rounds = draw("12345678901234567890", batches, contest, [6, 4])
    p_value = risk(batches, contest, rounds, {("Finch County", "Box 1"): {"Heron": 229, "Wren": 160}, ...})

These are the rules of a batch comparison by Arlo. For ballots drawn by Arlo use `draw_ballots`, for cards drawn by Colorado
`colorado.colorado_draw` and `colorado.colorado_risk`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scrutineer.audits.replay.arlo_draws import BallotKey, draw_ballot_rounds, draw_batch_rounds
from scrutineer.audits.replay.arlo_files import ManifestBatch
from scrutineer.audits.replay.arlo_risks import macro
from scrutineer.audits.sampling.ppeb import ArloBatch, ArloContest, BatchDraw, BatchKey
from scrutineer.errors import AuditError

Batches = Mapping[BatchKey, tuple[int, Mapping[str, int]]]
"""By jurisdiction and batch, in the order of the draw: its ballots, and its reported votes by choice."""


@dataclass(frozen=True, slots=True)
class Contest:
    """A contest with its totals by choice."""

    totals: Mapping[str, int]
    winners: int = 1
    votes_allowed: int = 1
    pending: int = 0
    """Ballots that were not counted yet when the sample was drawn."""
    majority: bool = False
    """Whether a majority decides at once, and the two first go to a run-off otherwise."""

    def arlo(self) -> ArloContest:
        """As the draw asks for it. Raises AuditError for one without a winner and a loser."""
        return ArloContest(tuple(self.totals.values()), self.winners, self.votes_allowed, self.pending, self.majority)


def draw(seed: str, batches: Batches, contest: Contest, sizes: Sequence[int]) -> tuple[tuple[BatchDraw, ...], ...]:
    """By round, of `sizes` draws each: the ticket number and the batch of every draw, in the order of drawing.

    The order of the batches is part of the draw: jurisdictions by name, and in each the order of its candidate totals. Raises
    AuditError for votes of unknown choices, and where the margin is gone.
    """
    return draw_batch_rounds(seed, contest.arlo(), _arlo(batches, contest), sizes)


def draw_ballots(
    seed: str, manifest: Mapping[tuple[str, str | None, str], int], sizes: Sequence[int], *, replacement: bool = True
) -> tuple[tuple[tuple[str, BallotKey], ...], ...]:
    """By round: the ticket number and the ballot of every draw, from ballots by jurisdiction, tabulator (or None) and batch."""
    batches = [ManifestBatch(key[0], key[2], ballots, key[1]) for key, ballots in manifest.items()]
    return draw_ballot_rounds(seed, batches, sizes, replacement=replacement)


def risk(
    batches: Batches,
    contest: Contest,
    rounds: Sequence[Sequence[BatchDraw]],
    counted: Mapping[BatchKey, Mapping[str, int]],
    together: Sequence[Sequence[BatchKey]] = (),
) -> float:
    """The P-value after the last of some rounds, from the votes counted by hand in each batch that was drawn.

    `together` lists the batches that were counted as one; each of these has the votes of all in `counted`. Raises AuditError for
    a batch that was drawn and not counted, and for unknown choices.
    """
    votes = {key: _votes(contest, found, key) for key, found in counted.items()}
    tickets = [(each.ticket, each.batch) for of_round in rounds for each in of_round]
    return macro(contest.arlo(), _arlo(batches, contest), tickets, votes, {key: tuple(keys) for keys in together for key in keys})


def _arlo(batches: Batches, contest: Contest) -> tuple[ArloBatch, ...]:
    return tuple(ArloBatch(key, _votes(contest, votes, key), ballots) for key, (ballots, votes) in batches.items())


def _votes(contest: Contest, votes: Mapping[str, int], key: BatchKey) -> tuple[int, ...]:
    if unknown := [choice for choice in votes if choice not in contest.totals]:
        raise AuditError(f"batch {key[1]!r} of {key[0]}: the contest has no choice {unknown[0]!r}")
    return tuple(votes.get(choice, 0) for choice in contest.totals)
