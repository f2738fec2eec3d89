"""Whether pre-encrypted ballots are right: verifications 15 to 19, and 5.B, 6 and 7 for their encryptions.

ElectionGuard Design Specification 2.1.0, sections 4.5 and 6.2.8. The chain of such ballots is checked in chain_check.py.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from gmpy2 import mpz

from scrutineer.ballots.confirmation import PRE_ENCRYPTED, confirmation_code
from scrutineer.ballots.exact import CheckTables, PowerChain, range_commitments
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import SCALAR_SIZE
from scrutineer.ballots.hashing import HASH_SIZE, Use, challenge, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.nonces import identifier_hash
from scrutineer.ballots.pre_encrypted import pre_encrypted_contest_hash, selection_hash, short_code, vector_fields
from scrutineer.ballots.pre_encrypted_record import ChosenVector, OpenedVector, PreEncryptedBallot, PreEncryptedContest
from scrutineer.ballots.proofs import check_seal, nonce_envelope, weighted_product
from scrutineer.ballots.record import Selection
from scrutineer.errors import BallotError

FORM: Final = "R.5"


def check_pre_encrypted(
    keys: ElectionKeys, ballot: PreEncryptedBallot, tables: CheckTables | None = None
) -> tuple[CheckFailure, ...]:
    """Check one pre-encrypted ballot, cast or uncast, by itself; an empty answer says that nothing was found wrong."""
    return tuple(_BallotCheck(keys, ballot, tables or CheckTables(keys, window=4)).run())


class _BallotCheck:
    """The check of one ballot."""

    def __init__(self, keys: ElectionKeys, ballot: PreEncryptedBallot, tables: CheckTables) -> None:
        self._keys, self._ballot, self._tables = keys, ballot, tables
        self._hashed = ballot.identifier_hash
        self._where = f"ballot {ballot.code.hex()[:12]}…"
        self._failures: list[CheckFailure] = []

    def _fail(self, check: str, where: str, message: str) -> None:
        self._failures.append(CheckFailure(check, where, message))

    def run(self) -> list[CheckFailure]:
        keys, ballot, where = self._keys, self._ballot, self._where
        manifest = keys.manifest
        if ballot.identifier_hash != identifier_hash(keys, ballot.identifier):
            self._fail("5.B", where, "the identifier hash is not the hash of the ballot's identifier")
        if (len(ballot.nonce.point), len(ballot.nonce.data), len(ballot.nonce.proof)) != (
            keys.group.element_size,
            HASH_SIZE,
            2 * SCALAR_SIZE,
        ):
            self._fail(FORM, where, "the encrypted ballot nonce has not its three parts in their lengths")
        # R.6: whoever sealed the ballot nonce knew what opens it (equation 38).
        elif not check_seal(keys.group, nonce_envelope(self._hashed), ballot.nonce):
            self._fail("R.6", where, "the encrypted ballot nonce is not proved to come from who encrypted the ballot")
        if not 1 <= manifest.trimming <= 8:
            self._fail(FORM, where, "the manifest has no pre-encrypted ballots: it names no hash-trimming function")
            return self._failures
        if not 1 <= ballot.style <= len(manifest.styles):
            self._fail(FORM, where, f"the manifest has no ballot style {ballot.style}")
            return self._failures
        style = manifest.style(ballot.style).contests
        numbers = tuple(contest.contest for contest in ballot.contests)
        if ballot.status == "cast" and numbers != style:
            self._fail(FORM, where, "its contests are not those of its ballot style in their order")
        if ballot.status == "uncast":
            self._labels(style)
        shown = []
        for own in ballot.contests:
            if not 1 <= own.contest <= len(manifest.contests):
                self._fail(FORM, where, f"the manifest has no contest {own.contest}")
                continue
            shown.append(self._contest(own, manifest.contest(own.contest)))
        # 16.C: the confirmation code is that of the contest hashes and the chaining field.
        if ballot.code != confirmation_code(self._hashed, [own.hash for own in ballot.contests], ballot.chain, PRE_ENCRYPTED):
            self._fail("16.C", where, "the confirmation code is not the hash of the ballot's contest hashes")
        # 18.A: for an uncast ballot, the same from what was opened.
        if ballot.status == "uncast":
            hashes = [one for one in shown if one is not None]
            if ballot.code != confirmation_code(self._hashed, hashes, ballot.chain, PRE_ENCRYPTED):
                self._fail("18.A", where, "the shown selections do not give the confirmation code")
        return self._failures

    def _labels(self, style: Sequence[int]) -> None:
        """19.A and 19.B: the contests of an uncast ballot are those of its style."""
        manifest = self._keys.manifest
        labels = {manifest.contest(number).label: number for number in style}
        given = [(own.label, own.contest) for own in self._ballot.contests]
        for label, number in given:
            if labels.get(label) != number:
                self._fail("19.A", self._where, f"contest {label[:80]!r} does not belong to the ballot style")
        for label, number in labels.items():
            if (label, number) not in given:
                self._fail("19.B", self._where, f"contest {label} of the ballot style is not on the ballot")
        if [number for _, number in given] != sorted({number for _, number in given}):
            self._fail(FORM, self._where, "its contests are not in the order of the manifest, each once")

    def _contest(self, own: PreEncryptedContest, contest: ManifestContest) -> bytes | None:
        """Check one contest; answer with the contest hash of what an uncast ballot shows."""
        where = f"{self._where}, contest {contest.label}"
        cast = self._ballot.status == "cast"
        if list(own.hashes) != sorted(set(own.hashes)) or len(own.hashes) != len(vector_fields(contest)):
            self._fail("16.B", where, f"there are not {len(vector_fields(contest))} selection hashes in ascending order")
        # Section 4.1.5: what a voter reads must tell the selections of a contest apart.
        if len({short_code(self._keys.manifest.trimming, one) for one in own.hashes}) < len(set(own.hashes)):
            self._fail(FORM, where, "two selections of the contest have one short code")
        if own.hash != pre_encrypted_contest_hash(self._hashed, own.contest, own.hashes):
            self._fail("16.B", where, "the contest hash is not that of the sorted selection hashes")
        if cast:
            if own.opened or own.label:
                self._fail(FORM, where, "a ballot that was cast must not be opened")
            self._cast_contest(own, contest, where)
            return None
        if own.chosen or own.selections or own.proof:
            self._fail(FORM, where, "an unused ballot has no choices")
        return self._opened_contest(own, contest, where)

    def _cast_contest(self, own: PreEncryptedContest, contest: ManifestContest, where: str) -> None:
        group = self._keys.group
        labels = contest.labels()
        hashes = [vector.hash for vector in own.chosen]
        if len(hashes) != contest.selection_limit or hashes != sorted(set(hashes)):
            self._fail(FORM, where, f"there are not {contest.selection_limit} different vectors in the order of their hashes")
        limits = [*contest.limits()]
        parts: list[tuple[Sequence[Selection], list[int], str]] = [(own.selections, limits, where)]
        parts += [(vector.selections, [1] * len(labels), f"{where}, vector {vector.code[:4]}") for vector in own.chosen]
        sound = True
        for selections, own_limits, place in parts:
            if not self._has_form(selections, own_limits, place):
                sound = False
        if len(own.proof) != 2 * (contest.selection_limit + 1) * SCALAR_SIZE:
            self._fail(FORM, where, "the proof of its limit has not the right length")
            sound = False
        for vector in own.chosen:
            self._vector(vector, own, f"{where}, vector {vector.code[:4]}")
        if not sound:
            return
        for selections, own_limits, place in parts:
            for number, (label, limit, selection) in enumerate(zip(labels, own_limits, selections, strict=True), 1):
                alpha, beta = group.element(selection.alpha), group.element(selection.beta)
                head = small(own.contest) + small(number)
                self._range("6", head, alpha, beta, selection.proof, limit, f"{place}, {label}")
        self._products(own, contest, where)

    def _has_form(self, selections: Sequence[Selection], limits: Sequence[int], where: str) -> bool:
        size = self._keys.group.element_size
        if len(selections) != len(limits):
            self._fail(FORM, where, f"it has {len(selections)} encrypted fields: the manifest has {len(limits)}")
            return False
        for selection, limit in zip(selections, limits, strict=True):
            lengths = (len(selection.alpha), len(selection.beta), len(selection.proof))
            if lengths != (size, size, 2 * (limit + 1) * SCALAR_SIZE):
                self._fail(FORM, where, "a value or a proof has not the right length")
                return False
        return True

    def _vector(
        self, vector: ChosenVector | OpenedVector, own: PreEncryptedContest, where: str, found: bytes | None = None
    ) -> None:
        """16.A and 17.A of one vector."""
        if isinstance(vector, ChosenVector):
            found = selection_hash(self._hashed, [(one.alpha, one.beta) for one in vector.selections])
        if vector.hash != found:
            self._fail("16.A", where, "the selection hash is not that of the vector's encryptions")
        if vector.hash not in own.hashes:
            self._fail("16.A", where, "the selection hash is not among those of the contest")
        if vector.code != short_code(self._keys.manifest.trimming, vector.hash):
            self._fail("17.A", where, "the short code is not that of the selection hash")

    def _products(self, own: PreEncryptedContest, contest: ManifestContest, where: str) -> None:
        """15.A and 7 of one contest."""
        group = self._keys.group
        for place, label in enumerate(contest.labels()):
            alpha, beta = mpz(1), mpz(1)
            for vector in own.chosen:
                alpha = alpha * group.element(vector.selections[place].alpha) % group.p
                beta = beta * group.element(vector.selections[place].beta) % group.p
            given = own.selections[place]
            if (given.alpha, given.beta) != (group.element_bytes(alpha), group.element_bytes(beta)):
                self._fail("15.A", f"{where}, {label}", "the encryption is not the product of the chosen vectors")
        pairs = [(group.element(one.alpha), group.element(one.beta)) for one in own.selections]
        weights = contest.weights()
        alpha = weighted_product(group, [one for one, _ in pairs], weights)
        beta = weighted_product(group, [one for _, one in pairs], weights)
        self._range("7", small(own.contest), alpha, beta, own.proof, contest.selection_limit, where)

    def _range(self, number: str, head: bytes, alpha: mpz, beta: mpz, proof: bytes, limit: int, where: str) -> None:
        """6.A to 6.D of one field, or 7.A to 7.D of a contest."""
        group = self._keys.group
        scalars = [mpz(int.from_bytes(proof[start : start + SCALAR_SIZE], "big")) for start in range(0, len(proof), SCALAR_SIZE)]
        challenges, responses = scalars[: limit + 1], scalars[limit + 1 :]
        first, second = PowerChain(group, alpha), PowerChain(group, beta)
        if not (first.is_element() and second.is_element()):
            self._fail(f"{number}.A", where, "a value of the ciphertext is not in the group")
        for letter, name, values in (("B", "challenge", challenges), ("C", "response", responses)):
            if not all(map(group.is_scalar, values)):
                self._fail(f"{number}.{letter}", where, f"a {name} of its proof is not below q")
        commitments = range_commitments(group, self._tables, first, second, challenges, responses)
        hashed = challenge(
            group, self._hashed, Use.RANGE_PROOF, head, group.element_bytes(alpha), group.element_bytes(beta), commitments
        )
        if hashed != sum(challenges) % group.q:
            self._fail(f"{number}.D", where, "the proof of its range does not hold")

    def _opened_contest(self, own: PreEncryptedContest, contest: ManifestContest, where: str) -> bytes | None:
        """16.A, 17.A, 19.C and 19.D of an uncast ballot's contest; answer with its hash from the shown nonces (18.4)."""
        labels = contest.labels()
        given = Counter(vector.label for vector in own.opened)
        for label in sorted(set(given) - set(labels) - {""}):
            self._fail("19.C", where, f"{label[:80]!r} is no option or field of this contest")
        for label, limit in (*zip(labels, contest.limits(), strict=True), ("", contest.selection_limit)):
            if given[label] < limit:
                self._fail("19.D", where, f"{label or 'a null vector'} is on the ballot {given[label]} times and not {limit}")
            elif given[label] > limit:
                self._fail("19.C", where, f"{label or 'a null vector'} is on the ballot {given[label]} times and not {limit}")
        hashes = []
        for vector in own.opened:
            found = self._opened_hash(vector, labels)
            if found is None:
                self._fail("18.A", f"{where}, vector {vector.code[:4]}", "there is not one nonce below q for each field")
            else:
                hashes.append(found)
            self._vector(vector, own, f"{where}, vector {vector.code[:4]}", found)
        return pre_encrypted_contest_hash(self._hashed, own.contest, hashes)

    def _opened_hash(self, vector: OpenedVector, labels: Sequence[str]) -> bytes | None:
        """Psi of a vector that is encrypted again (18.1 to 18.3)."""
        group = self._keys.group
        if len(vector.nonces) != len(labels):
            return None
        pairs = []
        for label, data in zip(labels, vector.nonces, strict=True):
            try:
                nonce = group.scalar(data)
            except BallotError:
                return None
            if not group.is_scalar(nonce):
                return None
            alpha = self._tables.generator.power(nonce)
            beta = self._tables.vote_key.power((nonce + (label == vector.label)) % group.q)
            pairs.append((group.element_bytes(alpha), group.element_bytes(beta)))
        return selection_hash(self._hashed, pairs)
