"""Observers and agents of an invented election: at some stations they copy the sheet, sign it, or refuse to.

A few copies differ from the sheet, as copies do: one figure was misread. Everything follows from the count and a seed.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

import numpy as np

from scrutineer.count import COUNTED, Count
from scrutineer.election import Issuer
from scrutineer.election.register import Role
from scrutineer.simulate.draws import Draws
from scrutineer.statements import Attestation, Endorsement, Payload, SigningKey

PEOPLE: Final[tuple[tuple[str, Role, str], ...]] = (
    ("observer/marsh-watch", "observer", "Marsh Watch"),
    ("observer/friends-of-the-lakes", "observer", "Friends of the Lakes"),
    ("agent/dunlin-1", "agent", "Agent for Dunlin"),
    ("agent/plover-1", "agent", "Agent for Plover"),
)
SEEN: Final = 100
"""One station in so many is watched."""
_MISREAD: Final = 60  # one copy in so many
_REFUSED: Final = 90  # one signature in so many
_REASONS: Final = (
    "I was asked to leave the room before the last ballots were counted.",
    "I was not shown the ballots that were called null.",
)


def observer_key(seed: int, issuer: str) -> SigningKey:
    """The key of one of them."""
    return SigningKey(hashlib.sha256(f"scrutineer observers {seed}/{issuer}".encode()).digest())


def observer_issuers(seed: int) -> tuple[Issuer, ...]:
    """All of them, as the register has them."""
    return tuple(Issuer(own, role, observer_key(seed, own).public_key, name=name) for own, role, name in PEOPLE)


def observer_statements(count: Count, seed: int) -> Iterator[tuple[str, Payload]]:
    """What they say of the first contest's counted sheets: issuer and payload, in station order."""
    election, state = count.election.hash, count.contests[0]
    counted = np.flatnonzero(state.status == COUNTED)
    draws = Draws(seed, "observers")
    seen = np.sort(counted[draws.order(len(counted))[: max(1, len(counted) // SEEN)]])
    ids = list(count.election.units.station_index)
    rolls = draws.below(1_000_000, 4 * len(seen)).reshape(-1, 4).tolist()
    options = state.options
    for station, luck in zip(seen.tolist(), rolls, strict=True):
        sheet = state.hashes[station].tobytes()
        figures = state.figures[station].tolist()
        counts, rest = figures[:options], [figure if figure >= 0 else None for figure in figures[options:]]
        for watcher in (0, 1) if luck[0] % 3 == 0 else (luck[0] % 2,):
            own = list(counts)
            if luck[watcher + 1] % _MISREAD == 0:
                own[0] += 9
            blank, null, cast, voters, _ = rest
            yield (
                PEOPLE[watcher][0],
                Attestation(
                    election=election,
                    station=ids[station],
                    contest=state.contest.id,
                    counts=tuple(own),
                    blank=blank,
                    null=null,
                    cast=cast,
                    voters=voters,
                ),
            )
        for agent in (2, 3):
            if luck[3] % _REFUSED == agent:
                reason = _REASONS[luck[3] % len(_REASONS)]
                yield PEOPLE[agent][0], Endorsement(election=election, statement=sheet, verdict="refuse", reason=reason)
            elif luck[agent - 1] % 4:
                yield PEOPLE[agent][0], Endorsement(election=election, statement=sheet, verdict="sign")
