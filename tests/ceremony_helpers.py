"""Keys made in a whole ceremony, and decryption by a quorum, for tests: all trustees in one process."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ballot_helpers import SMALL, seeded
from scrutineer.ballots.ceremony import Ceremony, KeyShare, terms_of
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.group import STANDARD, Group
from scrutineer.ballots.keys import ElectionKeys, KeyRecord, election_keys
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.manifest import Manifest
from scrutineer.ballots.record import BundleLine, OpenedBallot, TallyRecord, encode_line
from scrutineer.ballots.tally_request import TallyRequest, request_of, without_opened
from scrutineer.ballots.tallying import combine_bundle, commit_bundle, respond_bundle


def ceremony(
    manifest: Manifest, n: int = 5, k: int = 3, group: Group = SMALL, seed: object = "ceremony"
) -> tuple[KeyRecord, list[KeyShare]]:
    """The key record of n trustees with quorum k, and what each of them keeps."""
    terms = terms_of(group, manifest, n, k)
    steps, random = Ceremony(group, terms), seeded(seed)
    made = [steps.make_guardian(index, f"Trustee {index}", random) for index in range(1, n + 1)]
    keys = [public for _, public in made]
    assert not steps.check_guardians(keys)
    sent = [steps.make_shares(index, secrets, keys, random) for index, (secrets, _) in enumerate(made, 1)]
    shares = [steps.receive_shares(index, secrets, keys, sent) for index, (secrets, _) in enumerate(made, 1)]
    return steps.join_keys(manifest, keys), shares


def group_of(record: KeyRecord) -> Group:
    """The group that a record was made in: the standard one, or the small one of tests."""
    return SMALL if len(record.vote_key) == SMALL.element_size else STANDARD


def decrypt(
    record: KeyRecord,
    shares: Sequence[KeyShare],
    bundle: Path | bytes | Iterable[bytes | BundleLine],
    opened: Sequence[OpenedBallot] = (),
    data: Sequence[tuple[bytes, int]] = (),
    seed: object = "round",
) -> TallyRecord:
    """What the holders of these shares decrypt of a bundle: a file, its bytes, or its lines (with or without line feeds).

    `opened` are challenged ballots that the device opened itself. The bundle is not verified here.
    """
    keys = election_keys(record, group_of(record))
    request = without_opened(keys, request_of(keys, lines_of(bundle), "bundle", data), opened)
    return decrypt_request(keys, record, shares, request, opened, seed)


def decrypt_request(
    keys: ElectionKeys,
    record: KeyRecord,
    shares: Sequence[KeyShare],
    request: TallyRequest,
    opened: Sequence[OpenedBallot] = (),
    seed: object = "round",
) -> TallyRecord:
    """The three rounds for one request, in one process."""
    quorum = Quorum(keys, record.guardians, [share.index for share in shares])
    seeds = {share.index: seeded((seed, share.index))(32) for share in shares}
    first = {share.index: commit_bundle(quorum, share, seeds[share.index], request) for share in shares}
    commitments = {index: each[0] for index, each in first.items()}
    reveals = {index: each[1] for index, each in first.items()}
    responses = {
        share.index: respond_bundle(quorum, share, seeds[share.index], request, commitments, reveals) for share in shares
    }
    logarithms = SmallLogarithms(keys.group, keys.vote_key)
    return combine_bundle(quorum, request, commitments, reveals, responses, logarithms, opened)


def lines_of(bundle: Path | bytes | Iterable[bytes | BundleLine]) -> list[bytes]:
    """The lines of a bundle with their line feeds."""
    if isinstance(bundle, Path):
        bundle = bundle.read_bytes()
    if isinstance(bundle, bytes):
        return bundle.splitlines(keepends=True)
    lines = (line if isinstance(line, bytes) else encode_line(line) for line in bundle)
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]
