"""One trustee's part of the key ceremony: what its machine keeps, what it gives away, and what it does with what it is given.

The specification says *guardian*; people who do it are called trustees (docs/how-to/hold-a-key-ceremony.md). Every step takes the
kept state and carried files, and gives the state to keep next. A step that was done already, given the same files, gives the same
state; given others, it refuses: nothing that was published is ever made anew.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from scrutineer.ballots.ceremony import ADVICE, Ceremony, GuardianError, GuardianSecrets, KeyShare, SealedShares, Terms, terms_of
from scrutineer.ballots.group import STANDARD, Group, RandomBytes
from scrutineer.ballots.key_check import check_keys
from scrutineer.ballots.keys import MAX_RECORD_SIZE, GuardianKeys, KeyRecord
from scrutineer.ballots.manifest import FORMAT, Manifest
from scrutineer.errors import BallotError

MAX_CARRIED_SIZE: Final = MAX_RECORD_SIZE


class PublicFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trustee-public", tag_field="kind"):
    """What a trustee carries to all others first: its public keys, and what they were made for."""

    format: str
    election: str
    terms: Terms
    keys: GuardianKeys


class SharesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trustee-shares", tag_field="kind"):
    """What a trustee carries to all others second: its sealed shares. They may be seen by anyone."""

    format: str
    election: str
    terms: Terms
    shares: SealedShares


CarriedFile = PublicFile | SharesFile


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trustee's secrets of the ceremony, 32 bytes each."""

    vote: tuple[bytes, ...]
    data: tuple[bytes, ...]
    communication: bytes


class RoundState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a trustee remembers of one decryption: the secret behind its commitments, and what it has answered to."""

    round: bytes
    """The hash of what is decrypted, by whom, in which attempt."""
    seed: bytes
    committed: dict[int, bytes] = {}
    """Hashes of all trustees' commitment files, from the moment at which it revealed to them."""
    answered: dict[int, bytes] = {}
    """Hashes of all trustees' reveal files, from the moment at which it responded to them. It never responds to others."""


class DecryptedBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A bundle that this trustee has helped to decrypt."""

    station: str
    device: str
    bundle: bytes


class TrusteeState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that one trustee's machine keeps. Nobody else may ever read it."""

    format: str
    election: str
    terms: Terms
    public: GuardianKeys
    secrets: Secrets | None
    """None once the ceremony is confirmed: only the shares are needed from then on (end of section 3.2.2)."""
    guardians: tuple[GuardianKeys, ...] = ()
    """All trustees' public keys, from the moment at which shares were made for them."""
    sealed: SealedShares | None = None
    vote_share: bytes = b""
    """z_i, once all shares were received."""
    data_share: bytes = b""
    confirmed: Annotated[bytes, msgspec.Meta(max_length=32)] = b""
    """H_E of the keys that were confirmed."""
    rounds: tuple[RoundState, ...] = ()
    decrypted: tuple[DecryptedBundle, ...] = ()

    def encode(self) -> bytes:
        """The state as JSON."""
        return msgspec.json.encode(self)


def read_state(data: bytes) -> TrusteeState:
    """Read a kept state. Raises BallotError."""
    try:
        state = msgspec.json.decode(data, type=TrusteeState)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BallotError(f"these are not the secrets of a trustee: {str(error)[:200]}") from error
    if state.format != FORMAT:
        raise BallotError(f"the trustee's secrets have the format {state.format[:40]!r}: this program reads {FORMAT}")
    return state


def encode_carried(value: CarriedFile) -> bytes:
    """A file to carry, in its only form."""
    return msgspec.json.encode(value, order="sorted") + b"\n"


def read_carried(data: bytes, name: str) -> CarriedFile:
    """Read a file that was carried here. Raises BallotError; whether its content is right is for the steps."""
    if len(data) > MAX_CARRIED_SIZE:
        raise BallotError(f"{name} has more than {MAX_CARRIED_SIZE} bytes: no file of a trustee is so large")
    try:
        value: CarriedFile = msgspec.json.decode(data, type=CarriedFile)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BallotError(
            f"{name} is no file of a trustee, or was damaged on the way: copy it again ({str(error)[:160]})"
        ) from error
    if value.format != FORMAT:
        raise BallotError(f"{name} has the format {value.format[:40]!r}: this program reads {FORMAT}")
    if encode_carried(value) != data:
        raise BallotError(f"{name} was changed after it was written: ask its trustee for it again")
    return value


def new_trustee(
    manifest: Manifest, index: int, guardians: int, quorum: int, name: str, random: RandomBytes, group: Group = STANDARD
) -> TrusteeState:
    """Begin: make the secrets of one trustee. Raises BallotError for numbers or a name that cannot be."""
    if not name.strip() or len(name) > 256 or not name.isprintable():
        raise BallotError(f"{name[:40]!r} cannot be used as a trustee's name: write 1 to 256 printable characters")
    terms = terms_of(group, manifest, guardians, quorum)
    secrets, public = Ceremony(group, terms).make_guardian(index, name, random)
    wire = Secrets(
        tuple(map(group.scalar_bytes, secrets.vote)),
        tuple(map(group.scalar_bytes, secrets.data)),
        group.scalar_bytes(secrets.communication),
    )
    return TrusteeState(FORMAT, manifest.election, terms, public, wire)


def public_file(state: TrusteeState) -> PublicFile:
    """What this trustee carries to the others first."""
    return PublicFile(FORMAT, state.election, state.terms, state.public)


def shares_file(state: TrusteeState) -> SharesFile:
    """What this trustee carries to the others second. Raises BallotError before the shares are made."""
    if state.sealed is None:
        raise BallotError("the shares are not made yet: collect all public files, then run `trustees share`")
    return SharesFile(FORMAT, state.election, state.terms, state.sealed)


def collect_public(terms: Terms, files: Sequence[tuple[str, PublicFile]], own: GuardianKeys | None = None) -> list[GuardianKeys]:
    """The public keys of all trustees in order, from named files; a trustee's own file may be left out.

    Raises BallotError for a file of another election, for two different files of one trustee, and where one is missing.
    """
    found: dict[int, tuple[str, GuardianKeys]] = {} if own is None else {own.index: ("this folder", own)}
    for name, file in files:
        _check_terms(terms, file.terms, name, file.election)
        before = found.setdefault(file.keys.index, (name, file.keys))
        if before[1] != file.keys:
            raise BallotError(
                f"{before[0]} and {name} are both of trustee {file.keys.index}, and they differ: ask trustee {file.keys.index} "
                "which one is right, and whether two people were given the same number"
            )
    missing = sorted(set(range(1, terms.guardians + 1)) - set(found))
    if missing:
        raise BallotError(
            f"the public file of trustee {' and '.join(map(str, missing))} is missing: all {terms.guardians} are needed to make "
            "keys; ask for it, or begin again with fewer trustees"
        )
    return [found[index][1] for index in range(1, terms.guardians + 1)]


def make_shares(
    state: TrusteeState, guardians: Sequence[GuardianKeys], random: RandomBytes, group: Group = STANDARD
) -> TrusteeState:
    """Check all public keys, and seal this trustee's shares for the others.

    Raises GuardianError with whose keys do not pass verification 2, and BallotError where shares were made for other keys before.
    """
    if state.sealed is not None:
        for before, now in zip(state.guardians, guardians, strict=True):
            if before != now:
                raise BallotError(
                    f"shares were made here for another public file of trustee {now.index}: ask that trustee why there are two; "
                    "to replace one, all trustees begin again in new folders"
                )
        return state
    ceremony = Ceremony(group, state.terms)
    complaints = ceremony.check_guardians(guardians)
    if complaints:
        raise GuardianError(complaints, ADVICE)
    sealed = ceremony.make_shares(state.public.index, secrets_of(state, group), guardians, random)
    return msgspec.structs.replace(state, guardians=tuple(guardians), sealed=sealed)


def receive_shares(state: TrusteeState, files: Sequence[tuple[str, SharesFile]], group: Group = STANDARD) -> TrusteeState:
    """Check the shares of all others against their public keys, and keep the sums.

    Raises GuardianError with whose share is wrong, and BallotError where one is missing or of another election.
    """
    if state.sealed is None:
        raise BallotError("this trustee has made no shares yet: run `trustees share` with all public files first")
    found: dict[int, tuple[str, SealedShares]] = {}
    for name, file in files:
        _check_terms(state.terms, file.terms, name, file.election)
        before = found.setdefault(file.shares.sender, (name, file.shares))
        if before[1] != file.shares:
            raise BallotError(
                f"{before[0]} and {name} are both of trustee {file.shares.sender}, and they differ: ask which is right"
            )
    if state.secrets is None:
        return state  # Confirmed before: the shares were right, and what could open them again is gone.
    share = Ceremony(group, state.terms).receive_shares(
        state.public.index, secrets_of(state, group), state.guardians, [shares for _, shares in found.values()]
    )
    return msgspec.structs.replace(state, vote_share=group.scalar_bytes(share.vote), data_share=group.scalar_bytes(share.data))


def confirm(state: TrusteeState, record: KeyRecord, group: Group = STANDARD) -> TrusteeState:
    """Compare the joined keys with what this trustee saw, and forget what is not needed any more (end of section 3.2.2).

    Raises BallotError, naming the trustee whose keys are others in the record, or the verification that fails.
    """
    if not state.vote_share:
        raise BallotError("this trustee has not received all shares yet: run `trustees receive` first")
    failures = check_keys(record, group)
    if failures:
        raise BallotError(
            f"the joined keys do not hold: {failures[0].where}: {failures[0].message} (check {failures[0].check}); join again"
        )
    for own, theirs in zip(state.guardians, record.guardians, strict=False):
        if own != theirs:
            raise BallotError(
                f"the keys of trustee {own.index} in the joined keys are not those that this trustee received: one of them was "
                "replaced on its way. Do not use these keys; compare the files in the presence of all"
            )
    if (len(record.guardians), record.quorum, record.base_hash) != (
        state.terms.guardians,
        state.terms.quorum,
        state.terms.base_hash,
    ):
        raise BallotError("the joined keys are of another ceremony: they name other trustees, another quorum or another manifest")
    return msgspec.structs.replace(state, confirmed=record.extended_hash, secrets=None)


def key_share(state: TrusteeState, record: KeyRecord, group: Group = STANDARD) -> KeyShare:
    """What this trustee decrypts with. Raises BallotError before the keys are confirmed, and for another election's record."""
    if not state.confirmed:
        raise BallotError("this trustee has not confirmed the joined keys yet: run `trustees confirm` with ballots.json first")
    if state.confirmed != record.extended_hash:
        raise BallotError("these are the keys of another election than this trustee's: take the right ballots.json")
    return KeyShare(state.public.index, group.scalar(state.vote_share), group.scalar(state.data_share))


def secrets_of(state: TrusteeState, group: Group) -> GuardianSecrets:
    """The secrets of the ceremony. Raises BallotError once they were forgotten."""
    if state.secrets is None:
        raise BallotError(
            "this trustee has confirmed the joined keys and forgotten what it made them from: nothing is left to do"
        )
    return GuardianSecrets(
        tuple(map(group.scalar, state.secrets.vote)),
        tuple(map(group.scalar, state.secrets.data)),
        group.scalar(state.secrets.communication),
    )


def record_of(manifest: Manifest, files: Sequence[tuple[str, PublicFile]], group: Group = STANDARD) -> tuple[KeyRecord, bytes]:
    """Join all public files: the key record, and H_G, which all trustees compare. Needs no secret.

    Raises GuardianError with whose keys do not pass verification 2, and BallotError.
    """
    if not files:
        raise BallotError("no public file was given: name the public files of all trustees")
    terms = terms_of(group, manifest, files[0][1].terms.guardians, files[0][1].terms.quorum)
    guardians = collect_public(terms, files)
    ceremony = Ceremony(group, terms)
    complaints = ceremony.check_guardians(guardians)
    if complaints:
        raise GuardianError(complaints, ADVICE)
    return ceremony.join_keys(manifest, guardians), ceremony.record_hash(guardians)


def _check_terms(own: Terms, given: Terms, name: str, election: str) -> None:
    if (given.guardians, given.quorum) != (own.guardians, own.quorum):
        raise BallotError(
            f"{name} was made for {given.guardians} trustees with a quorum of {given.quorum}, and not for {own.guardians} with "
            f"{own.quorum}: all have to begin with the same numbers"
        )
    if given != own:
        raise BallotError(
            f"{name} was made for another manifest (election {election[:64]}): all have to begin with the same manifest.json"
        )
