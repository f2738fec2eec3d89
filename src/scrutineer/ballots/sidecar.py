"""Side-cars: the commitments (a_j, b_j) of a bundle's proofs in a file beside it, which make checking many ballots at once fast.

ElectionGuard publishes proofs as challenges and responses; whoever checks one has to compute its commitments with a long power
for each. With the commitments at hand the hash can be checked first, and the powers of many ballots together (batch.py).

A side-car is never trusted and never needed: anybody can make it from the bundle, what it says is checked, and a ballot without
one, or with a wrong one, is checked exactly. It is no part of the record and no hash covers it.

The file is a line `scrutineer-commitments/v1` and, for each ballot, its confirmation code (32 bytes), the size of what follows
(4 bytes, big-endian) and the commitments: for each contest the pairs a_0, b_0, ... of its fields and of its limit, then the
commitment of the sealed ballot nonce and those of contest data, as elements of fixed length without separators.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from scrutineer.ballots.ballot_check import BallotClaims, claim_commitments, read_claims
from scrutineer.ballots.exact import CheckTables, PowerChain, seal_commitment
from scrutineer.ballots.hashing import HASH_SIZE, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot

MAGIC: Final = b"scrutineer-commitments/v1\n"
MAX_COMMITMENTS: Final = 64 * 1024 * 1024  # bytes of one ballot
_SIZE: Final = 4


def make_commitments(keys: ElectionKeys, ballot: Ballot, tables: CheckTables) -> bytes:
    """The commitments of one ballot, recomputed exactly; they hold if and only if the ballot's proofs do."""
    group, claims = keys.group, read_claims(keys, ballot)
    parts: list[bytes] = []
    for contest in claims.contests:
        for claim in (*contest.fields, contest.total):
            alpha, beta = PowerChain(group, claim.alpha), PowerChain(group, claim.beta)
            parts.append(claim_commitments(keys, tables, claim, alpha, beta))
    return b"".join(parts) + _seal_commitments(keys, claims, tables)


def with_points(keys: ElectionKeys, ballot: Ballot, points: bytes, tables: CheckTables) -> bytes:
    """The commitments of a ballot by who encrypted it and has those of its range proofs (`Encrypted.points`).

    The same bytes as `make_commitments`, with one power for each sealed text instead of two for every value of a field.
    """
    return points + _seal_commitments(keys, read_claims(keys, ballot), tables)


def _seal_commitments(keys: ElectionKeys, claims: BallotClaims, tables: CheckTables) -> bytes:
    group = keys.group
    return b"".join(
        seal_commitment(group, tables, PowerChain(group, seal.point), seal.challenge, seal.response) for seal in claims.seals
    )


def commitments_size(keys: ElectionKeys, claims: BallotClaims) -> int:
    """Bytes of the commitments of a ballot whose form is right."""
    pairs = sum(len(claim.challenges) for contest in claims.contests for claim in (*contest.fields, contest.total))
    return (2 * pairs + len(claims.seals)) * keys.group.element_size


def make_sidecar(keys: ElectionKeys, ballots: Iterable[Ballot], tables: CheckTables | None = None) -> Iterator[bytes]:
    """The pieces of a side-car of ballots, in their order, by recomputation: as much work as to check them exactly."""
    tables = tables or CheckTables(keys)
    yield MAGIC
    for ballot in ballots:
        yield sidecar_entry(ballot.code, make_commitments(keys, ballot, tables))


def sidecar_entry(code: bytes, commitments: bytes) -> bytes:
    """One ballot's part of a side-car."""
    return code + small(len(commitments)) + commitments


class SidecarReader:
    """Reads a side-car beside its bundle, in one pass and in bounded memory.

    Nothing it finds is an error: where the file does not belong to the bundle, is damaged or ends, there are no commitments.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Take the file in pieces of any size."""
        self._chunks = iter(chunks)
        self._held = bytearray()
        self._over = self._take(len(MAGIC)) != MAGIC
        self._code = b"" if self._over else self._take(HASH_SIZE)

    def commitments(self, code: bytes) -> bytes | None:
        """The commitments of the next ballot if they are the next of the file, by the ballot's confirmation code."""
        if self._over or self._code != code:
            return None
        length = self._take(_SIZE)
        size = int.from_bytes(length, "big")
        found = self._take(size) if len(length) == _SIZE and size <= MAX_COMMITMENTS else None
        if found is None or len(found) != size:
            self._over = True
            return None
        self._code = self._take(HASH_SIZE)
        return found

    def _take(self, size: int) -> bytes:
        """The next bytes, or fewer at the end of the file."""
        while len(self._held) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._held += chunk
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken
