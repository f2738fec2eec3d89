"""The key ceremony: guardians make their keys, share them, check what they receive, and join them into the election's keys.

ElectionGuard Design Specification 2.1.0, section 3.2; equation and check numbers are those of the specification. Every step is a
pure function of what a guardian holds and what the others gave it. A check that fails names the guardian whose data failed.

The order: each guardian runs `make_guardian` and publishes its keys; `check_guardians` on all of them, then `make_shares`;
`receive_shares` on all shares; `join_keys`; all compare `record_hash`; then everything but the `KeyShare` may be forgotten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, Literal, NamedTuple

import gmpy2
import msgspec
from gmpy2 import mpz

from scrutineer.ballots.group import SCALAR_SIZE, Group, RandomBytes
from scrutineer.ballots.hashing import Use, digest
from scrutineer.ballots.keys import (
    MAX_GUARDIANS,
    SPECIFICATION,
    ElectionKeys,
    GuardianKeys,
    KeyRecord,
    base_hash,
    parameter_hash,
)
from scrutineer.ballots.manifest import FORMAT, Manifest
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.secret_base import generator
from scrutineer.ballots.shares import (
    Kind,
    committed,
    evaluate,
    open_shares,
    prove_secrets,
    seal_shares,
    secrets_proved,
    share_holds,
)
from scrutineer.errors import BallotError

ADVICE: Final = "Ask for that trustee's file again; if it stays wrong, find out why, and all begin again in new folders"
KINDS: Final[tuple[Kind, Kind]] = ("vote", "data")

_Index = Annotated[int, msgspec.Meta(ge=1, le=MAX_GUARDIANS)]
_Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the guardians agree on before they make keys: how many they are, how many suffice, and the manifest."""

    guardians: _Index
    """n."""
    quorum: _Index
    """k."""
    parameter_hash: _Hash
    """H_P."""
    base_hash: _Hash
    """H_B, which binds the manifest."""

    def __post_init__(self) -> None:
        if self.quorum > self.guardians:
            raise BallotError(
                f"{self.guardians} trustees cannot have a quorum of {self.quorum}: choose a quorum of 1 to {self.guardians}"
            )


def terms_of(group: Group, manifest: Manifest, guardians: int, quorum: int) -> Terms:
    """The terms for a manifest. Raises BallotError for numbers that cannot be."""
    if not 1 <= quorum <= guardians <= MAX_GUARDIANS:
        raise BallotError(
            f"{guardians} trustees with a quorum of {quorum} cannot be: name 1 to {MAX_GUARDIANS} trustees, and a quorum "
            "of at least 1 and at most all of them"
        )
    parameters = parameter_hash(group, guardians, quorum)
    return Terms(guardians, quorum, parameters, base_hash(parameters, manifest))


class GuardianSecrets(NamedTuple):
    """What one guardian keeps to itself during the ceremony."""

    vote: tuple[mpz, ...]
    """a_i,0 ... a_i,k-1."""
    data: tuple[mpz, ...]
    communication: mpz
    """zeta_i."""


@dataclass(frozen=True, repr=False)
class KeyShare:
    """What one guardian keeps for decryption: its shares of the two election secrets (equation 24)."""

    index: int
    vote: mpz
    """z_i."""
    data: mpz
    """z-hat_i."""


class Complaint(NamedTuple):
    """A check that a guardian's data failed, and whose data it was."""

    guardian: int
    check: str
    """The check or equation of the specification, such as `2.C` or `28`."""
    message: str


class GuardianError(BallotError):
    """What guardians gave did not pass a check; `complaints` names them."""

    def __init__(self, complaints: Sequence[Complaint], advice: str = "") -> None:
        found = "; ".join(f"trustee {each.guardian}: {each.message} (check {each.check})" for each in complaints)
        super().__init__(f"{found}. {advice}" if advice else found)
        self.complaints: Final = tuple(complaints)


class SealedShares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shares that one guardian sends to all others. Only the receiver can open its own."""

    sender: _Index
    keys: _Hash
    """H_G over the public keys that the sender saw: whoever saw others is found out here."""
    shares: tuple[Sealed, ...]
    """One for every other guardian, in ascending order of their numbers."""


class Ceremony:
    """The arithmetic of one ceremony: the group and the terms that all steps share."""

    def __init__(self, group: Group, terms: Terms) -> None:
        self.group: Final = group
        self.terms: Final = terms

    def make_guardian(self, index: int, name: str, random: RandomBytes) -> tuple[GuardianSecrets, GuardianKeys]:
        """New secrets of a guardian, and the keys it publishes with their proofs (equations 7 to 13)."""
        group, terms = self.group, self.terms
        if not 1 <= index <= terms.guardians:
            raise BallotError(f"there is no trustee {index} of {terms.guardians}: trustees are numbered from 1")
        vote = tuple(group.random_scalar(random) for _ in range(terms.quorum))
        data = tuple(group.random_scalar(random) for _ in range(terms.quorum))
        secrets = GuardianSecrets(vote, data, group.random_scalar(random))
        power = generator(group).power
        shown = {kind: tuple(group.element_bytes(power(each)) for each in own) for kind, own in zip(KINDS, secrets, strict=False)}
        kappa = group.element_bytes(power(secrets.communication))
        proofs = (
            prove_secrets(group, terms.parameter_hash, kind, index, (*own, secrets.communication), (*shown[kind], kappa), random)
            for kind, own in zip(KINDS, (vote, data), strict=True)
        )
        return secrets, GuardianKeys(index, name, shown["vote"], shown["data"], kappa, *proofs)

    def check_guardian(self, keys: GuardianKeys) -> tuple[Complaint, ...]:
        """Verification 2 on the keys of one guardian: nothing where they are as they should be."""
        group, terms = self.group, self.terms
        if not 1 <= keys.index <= terms.guardians:
            return (Complaint(keys.index, "2.A", f"there are {terms.guardians} trustees"),)
        if not len(keys.vote) == len(keys.data) == terms.quorum:
            return (Complaint(keys.index, "2.A", f"its keys are not made for a quorum of {terms.quorum}"),)
        elements = {kind: (*getattr(keys, kind), keys.communication) for kind in KINDS}
        if any(len(element) != group.element_size for own in elements.values() for element in own):
            return (Complaint(keys.index, "2.A", f"a key has not {group.element_size} bytes"),)
        found = []
        for kind, proof in zip(KINDS, (keys.vote_proof, keys.data_proof), strict=True):
            if len(proof) != (terms.quorum + 2) * SCALAR_SIZE:
                found.append(Complaint(keys.index, "2.B", f"the proof of its {kind} keys has not the length of a proof"))
                continue
            # Whoever can prove to know an element's logarithm has an element of the group, or its negative: (p - 1) / 2q is
            # prime, and an element with a part of that order passes one challenge in 2^256. The Jacobi symbol tells the negative.
            proved = secrets_proved(group, terms.parameter_hash, kind, keys.index, elements[kind], proof)
            values = [group.element(element) for element in elements[kind]]
            if not all(_may_be_element(group, value) if proved else group.is_element(value) for value in values):
                found.append(
                    Complaint(keys.index, "2.A", f"one of its {kind} keys or its communication key is outside the group")
                )
            elif not proved:
                scalars = (group.scalar(proof[at : at + SCALAR_SIZE]) for at in range(0, len(proof), SCALAR_SIZE))
                check = "2.C" if all(map(group.is_scalar, scalars)) else "2.B"
                found.append(Complaint(keys.index, check, f"the proof that it knows its {kind} keys does not hold"))
        return tuple(found)

    def check_guardians(self, guardians: Sequence[GuardianKeys]) -> tuple[Complaint, ...]:
        """Verification 2 on the keys of all guardians, given in their order. Raises BallotError where one is missing."""
        self.complete(guardians)
        return tuple(complaint for keys in guardians for complaint in self.check_guardian(keys))

    def complete(self, guardians: Sequence[GuardianKeys]) -> None:
        """Refuse public keys that are not those of guardians 1 to n in order. Raises BallotError."""
        given = [keys.index for keys in guardians]
        if given != list(range(1, self.terms.guardians + 1)):
            missing = sorted(set(range(1, self.terms.guardians + 1)) - set(given))
            raise BallotError(
                f"the public keys of all {self.terms.guardians} trustees are needed, each once: "
                + (f"missing {', '.join(map(str, missing))}" if missing else f"given {', '.join(map(str, given))}")
            )

    def make_shares(
        self, index: int, secrets: GuardianSecrets, guardians: Sequence[GuardianKeys], random: RandomBytes
    ) -> SealedShares:
        """A guardian's sealed shares for all others (equations 15 to 22). Call it on keys that `check_guardians` found right."""
        group, terms = self.group, self.terms
        return SealedShares(
            index,
            self.record_hash(guardians),
            tuple(
                seal_shares(
                    group,
                    terms.parameter_hash,
                    index,
                    keys.index,
                    keys.communication,
                    (evaluate(group, secrets.vote, keys.index), evaluate(group, secrets.data, keys.index)),
                    random,
                )
                for keys in guardians
                if keys.index != index
            ),
        )

    def receive_shares(
        self, index: int, secrets: GuardianSecrets, guardians: Sequence[GuardianKeys], received: Iterable[SealedShares]
    ) -> KeyShare:
        """A guardian's shares of the election's secrets (equations 23, 24, 28 and 29).

        Raises GuardianError with all that is wrong and by whom, and BallotError where the shares of a guardian are missing.
        """
        group, terms, own = self.group, self.terms, guardians[index - 1]
        senders = {shares.sender: shares for shares in received}
        missing = sorted(set(range(1, terms.guardians + 1)) - {index} - set(senders))
        if missing:
            raise BallotError(
                f"the shares of trustee {', '.join(map(str, missing))} are missing: ask for the files and go on then"
            )
        seen = self.record_hash(guardians)
        vote, data = evaluate(group, secrets.vote, index), evaluate(group, secrets.data, index)
        found = []
        for sender, shares in sorted(senders.items()):
            if sender == index:
                continue
            if shares.keys != seen:
                found.append(Complaint(sender, "27", "it made its shares for other public keys than those that are here"))
                continue
            # A sender leaves out itself, so the places after its own move up by one.
            place = index - 1 if index < sender else index - 2
            if len(shares.shares) != terms.guardians - 1:
                found.append(Complaint(sender, "19", f"it sent {len(shares.shares)} shares instead of {terms.guardians - 1}"))
                continue
            try:
                opened = open_shares(
                    group, terms.parameter_hash, sender, index, secrets.communication, own.communication, shares.shares[place]
                )
            except BallotError as error:
                found.append(Complaint(sender, "22", str(error)))
                continue
            for share, kind, equation in zip(opened, KINDS, ("28", "29"), strict=True):
                commitments = tuple(map(group.element, getattr(guardians[sender - 1], kind)))
                if not share_holds(group, share, commitments, index):
                    found.append(Complaint(sender, equation, f"its share of the {kind} key is not what its public key promises"))
            vote, data = (vote + opened[0]) % group.q, (data + opened[1]) % group.q
        if found:
            raise GuardianError(found, ADVICE)
        return KeyShare(index, vote, data)

    def record_hash(self, guardians: Sequence[GuardianKeys]) -> bytes:
        """H_G: the hash that all guardians compare before the keys are used (equation 27)."""
        self.complete(guardians)
        group = self.group
        joint = (group.element_bytes(joint_key(group, [getattr(keys, kind)[0] for keys in guardians])) for kind in KINDS)
        parts = (each for kind in KINDS for keys in guardians for each in getattr(keys, kind))
        return digest(self.terms.base_hash, Use.GUARDIAN_RECORD, *joint, *parts, *(keys.communication for keys in guardians))

    def join_keys(self, manifest: Manifest, guardians: Sequence[GuardianKeys]) -> KeyRecord:
        """The guardian record with the joint keys (equations 25, 26 and 30). Raises BallotError for another manifest."""
        self.complete(guardians)
        group, terms = self.group, self.terms
        vote = joint_key(group, [keys.vote[0] for keys in guardians])
        data = joint_key(group, [keys.data[0] for keys in guardians])
        keys = ElectionKeys(group, manifest, terms.guardians, terms.quorum, vote, data)
        if keys.base_hash != terms.base_hash:
            raise BallotError("the trustees' keys are for another manifest: use the manifest that the ceremony began with")
        return KeyRecord(
            FORMAT,
            SPECIFICATION,
            tuple(guardians),
            terms.quorum,
            manifest,
            group.element_bytes(group.p),
            group.scalar_bytes(group.q),
            group.element_bytes(group.g),
            keys.parameter_hash,
            keys.base_hash,
            group.element_bytes(vote),
            group.element_bytes(data),
            keys.extended_hash,
        )


def joint_key(group: Group, keys: Iterable[bytes]) -> mpz:
    """The product of all guardians' public keys (equations 25 and 26)."""
    product = mpz(1)
    for key in keys:
        product = product * group.element(key) % group.p
    return product


@lru_cache(maxsize=64)
def share_key(group: Group, guardians: tuple[GuardianKeys, ...], index: int, kind: Literal["vote", "data"]) -> mpz:
    """g^z_i, the public key of a guardian's share, computed from all guardians' commitments (inside equation 94)."""
    product = mpz(1)
    for keys in guardians:
        product = product * committed(group, tuple(map(group.element, getattr(keys, kind))), index) % group.p
    return product


def _may_be_element(group: Group, value: mpz) -> bool:
    return bool(0 < value < group.p) and gmpy2.jacobi(value, group.p) == 1
