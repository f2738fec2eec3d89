"""A second reading of the specification for tests: one ballot checked with plain integers, straight from the equations.

ElectionGuard Design Specification 2.1.0, verifications 5.B, 6, 7, 8.A and 8.B, with sections 3.3.4 and 3.3.10 for what is sealed.
It shares no code with the package: hashes are built here byte by byte, and powers are Python's own.
"""

import hashlib
import hmac

from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot, BallotContest, Sealed


class Naive:
    """The checks for one election."""

    def __init__(self, keys: ElectionKeys) -> None:
        self.p, self.q, self.g = int(keys.group.p), int(keys.group.q), int(keys.group.g)
        self.vote_key, self.data_key = int(keys.vote_key), int(keys.data_key)
        self.size = (self.p.bit_length() + 7) // 8
        self.extended_hash = keys.extended_hash
        self.manifest = keys.manifest

    def hashed(self, key: bytes, *parts: bytes) -> bytes:
        """H of section 5.2."""
        return hmac.new(key, b"".join(parts), hashlib.sha256).digest()

    def scalar(self, key: bytes, *parts: bytes) -> int:
        """Hq of section 5.4."""
        return int.from_bytes(self.hashed(key, *parts), "big") % self.q

    def element(self, value: int) -> bytes:
        """Section 5.1.1."""
        return value.to_bytes(self.size, "big")

    def member(self, value: int) -> bool:
        """x in Z_p^r (6.A)."""
        return 0 < value < self.p and pow(value, self.q, self.p) == 1

    def range_proof(
        self, key: bytes, place: bytes, alpha: int, beta: int, proof: bytes, limit: int, programmed: int | None = None
    ) -> str:
        """The letter of the first failing check of verification 6 or 7, or nothing. The challenge is a hash unless programmed."""
        if not (self.member(alpha) and self.member(beta)):
            return "A"
        if len(proof) != 64 * (limit + 1):
            return "form"
        numbers = [int.from_bytes(proof[at : at + 32], "big") for at in range(0, len(proof), 32)]
        cs, vs = numbers[: limit + 1], numbers[limit + 1 :]
        if not all(c < self.q for c in cs):
            return "B"
        if not all(v < self.q for v in vs):
            return "C"
        commitments = b""
        for j, (c, v) in enumerate(zip(cs, vs, strict=True)):
            a = pow(self.g, v, self.p) * pow(alpha, c, self.p) % self.p
            w = (v - j * c) % self.q
            b = pow(self.vote_key, w, self.p) * pow(beta, c, self.p) % self.p
            commitments += self.element(a) + self.element(b)
        whole = programmed
        if whole is None:
            whole = self.scalar(key, b"\x24", place, self.element(alpha), self.element(beta), commitments)
        return "" if whole == sum(cs) % self.q else "D"

    def sealed(self, key: bytes, use: int, place: bytes, sealed: Sealed) -> bool:
        """Equations 38 and 69."""
        point = int.from_bytes(sealed.point, "big")
        c, v = int.from_bytes(sealed.proof[:32], "big"), int.from_bytes(sealed.proof[32:], "big")
        a = pow(self.g, v, self.p) * pow(point, c, self.p) % self.p
        return self.member(point) and c == self.scalar(key, bytes((use,)), place, self.element(a), sealed.point, sealed.data)

    def contest(self, key: bytes, contest: BallotContest) -> list[str]:
        """The failing checks of one contest."""
        form = self.manifest.contests[contest.contest - 1]
        number = contest.contest.to_bytes(4, "big")
        found, inside = [], [b"\x28", number]
        alpha_bar = beta_bar = 1
        for place, (selection, limit, weight) in enumerate(
            zip(contest.selections, form.limits(), form.weights(), strict=True), 1
        ):
            alpha, beta = int.from_bytes(selection.alpha, "big"), int.from_bytes(selection.beta, "big")
            letter = self.range_proof(key, number + place.to_bytes(4, "big"), alpha, beta, selection.proof, limit)
            found += ["6." + letter] if letter else []
            alpha_bar = alpha_bar * pow(alpha, weight, self.p) % self.p
            beta_bar = beta_bar * pow(beta, weight, self.p) % self.p
            inside += [selection.alpha, selection.beta]
        letter = self.range_proof(key, number, alpha_bar, beta_bar, contest.proof, form.selection_limit)
        found += ["7." + letter] if letter else []
        if contest.data is not None:
            inside += [contest.data.point, contest.data.data, contest.data.proof]
            found += [] if self.sealed(key, 0x27, number, contest.data) else ["data"]
        if (contest.data is None) != (form.data_blocks == 0):
            found.append("form")
        return found + ([] if self.hashed(key, *inside) == contest.hash else ["8.A"])

    def ballot(self, ballot: Ballot) -> list[str]:
        """The failing checks of a ballot."""
        key = self.hashed(self.extended_hash, b"\x20", ballot.identifier)
        found = [] if key == ballot.identifier_hash else ["5.B"]
        found += [] if self.sealed(key, 0x23, b"", ballot.nonce) else ["nonce"]
        if tuple(contest.contest for contest in ballot.contests) != self.manifest.styles[ballot.style - 1].contests:
            found.append("form")
        for contest in ballot.contests:
            found += self.contest(key, contest)
        code = self.hashed(key, b"\x29", *(contest.hash for contest in ballot.contests), ballot.chain)
        return found + ([] if code == ballot.code else ["8.B"])
