"""Whether challenged ballots and contest data were opened rightly: verifications 12, 13 and 14.

ElectionGuard Design Specification 2.1.0, sections 6.2.6 and 6.2.7.
"""

from typing import Final

from gmpy2 import mpz

from scrutineer.ballots.confirmation import confirmation_code, contest_hash
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import SCALAR_SIZE
from scrutineer.ballots.hashing import Use, challenge, digest, key_stream, small, xor
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.record import Ballot, BallotContest, OpenedBallot, OpenedContest, OpenedData, Sealed, Selection

DATA_LABEL: Final = b"data_enc_keys"
DATA_CONTEXT: Final = b"contest_data"


def check_opened(opened: OpenedBallot, ballot: Ballot, keys: ElectionKeys, where: str) -> list[CheckFailure]:
    """Verifications 13 and 14 of one challenged ballot whose form is right."""
    manifest = keys.manifest
    if not 1 <= ballot.style <= len(manifest.styles):
        return [CheckFailure("13.B", where, "the ballot has no ballot style of the manifest")]
    contests = {manifest.contest(number).label: number for number in manifest.style(ballot.style).contests}
    given = [contest.label for contest in opened.contests]
    failures = [
        CheckFailure("14.A", where, f"contest {label[:80]!r} does not belong to the ballot style")
        for label in sorted(set(given) - set(contests))
    ]
    failures += [
        CheckFailure("14.B", where, f"contest {label} of the ballot style was not opened")
        for label in contests
        if label not in given
    ]
    if len(given) != len(set(given)):
        failures.append(CheckFailure("R.10", where, "a contest was opened twice"))
    encrypted = {contest.contest: contest for contest in ballot.contests}
    hashes = {contest.contest: contest.hash for contest in ballot.contests}
    for contest in opened.contests:
        number = contests.get(contest.label)
        own = encrypted.get(number) if number is not None else None
        if number is None or own is None:
            continue
        place = f"{where}, contest {contest.label}"
        found, selections = _contest_contents(contest, manifest.contest(number), keys, place)
        failures += found
        failures += _check_data(contest, number, own, ballot.identifier_hash, keys, place)
        if selections is not None:
            hashes[number] = contest_hash(ballot.identifier_hash, number, selections, own.data)
    code = confirmation_code(ballot.identifier_hash, [hashes[number] for number in sorted(hashes)], ballot.chain)
    if code != ballot.code:
        failures.append(CheckFailure("13.B", where, "the shown choices, encrypted again, do not give the confirmation code"))
    return failures


def _contest_contents(
    opened: OpenedContest, contest: ManifestContest, keys: ElectionKeys, where: str
) -> tuple[list[CheckFailure], tuple[Selection, ...] | None]:
    """Verification 14 of one contest, and its fields encrypted again in the order of the manifest where all are there."""
    labels = contest.labels()
    fields = {field.label: field for field in opened.fields}
    failures = [
        CheckFailure("14.C", where, f"{label[:80]!r} is no option or field of this contest")
        for label in sorted(set(fields) - set(labels))
    ]
    missing = [label for label in labels if label not in fields]
    failures += [CheckFailure("14.D", where, f"{label} was not opened") for label in missing]
    if len(fields) != len(opened.fields):
        failures.append(CheckFailure("R.10", where, "an option was opened twice"))
    whole = 0
    for label, limit, weight in zip(labels, contest.limits(), contest.weights(), strict=True):
        value = fields[label].value if label in fields else 0
        whole += weight * value
        if value > limit:
            failures.append(CheckFailure("14.E", f"{where}, {label}", f"the value {value} is above the limit of {limit}"))
    if whole > contest.selection_limit:
        failures.append(CheckFailure("14.F", where, f"the choices add up to {whole}, and {contest.selection_limit} are allowed"))
    if missing:
        return failures, None
    group = keys.group
    selections = []
    for label in labels:
        field = fields[label]
        nonce = group.scalar(field.nonce) if len(field.nonce) == SCALAR_SIZE else group.q
        if not group.is_scalar(nonce):
            return [*failures, CheckFailure("13.B", f"{where}, {label}", "the nonce is not 32 bytes of a number below q")], None
        alpha, beta = group.power(group.g, nonce), group.power(keys.vote_key, mpz(field.value) + nonce)
        selections.append(Selection(group.element_bytes(alpha), group.element_bytes(beta), b""))
    return failures, tuple(selections)


def _check_data(
    opened: OpenedContest, number: int, own: BallotContest, identifier_hash: bytes, keys: ElectionKeys, where: str
) -> list[CheckFailure]:
    """13.A: the shown contest data, encrypted again, are those of the ballot."""
    if own.data is None:
        if opened.data or opened.data_nonce:
            return [CheckFailure("13.A", where, "contest data are shown that the ballot does not have")]
        return []
    group = keys.group
    nonce = group.scalar(opened.data_nonce) if len(opened.data_nonce) == SCALAR_SIZE else group.q
    if len(opened.data) != len(own.data.data) or not group.is_scalar(nonce):
        return [CheckFailure("13.A", where, "the contest data or their nonce are missing or have another form")]
    alpha = group.element_bytes(group.power(group.g, nonce))
    beta = group.element_bytes(group.power(keys.data_key, nonce))
    if own.data.point != alpha or own.data.data != xor(
        opened.data, data_keys(identifier_hash, number, alpha, beta, len(opened.data))
    ):
        return [CheckFailure("13.A", where, "the shown contest data are not those of the ballot")]
    return []


def data_keys(identifier_hash: bytes, contest: int, point: bytes, shared: bytes, size: int) -> bytes:
    """The key stream of contest data (equations 65 and 66). Sizes are multiples of 32 bytes."""
    key = digest(identifier_hash, Use.DATA_KEY, small(contest), point, shared)
    return key_stream(key, DATA_LABEL, DATA_CONTEXT + small(contest), size // 32, wide=True)


def check_opened_data(opened: OpenedData, ballot: Ballot, keys: ElectionKeys, where: str) -> list[CheckFailure]:
    """Verification 12 of contest data that the trustees decrypted."""
    group = keys.group
    sealed: Sealed | None = next((contest.data for contest in ballot.contests if contest.contest == opened.contest), None)
    if sealed is None:
        return [CheckFailure("12.C", where, "contest data are shown that the ballot does not have")]
    if len(opened.proof) != 2 * SCALAR_SIZE or len(opened.beta) != group.element_size:
        return [CheckFailure("12.B", where, "the proof or the decrypted value has not the right length")]
    failures = []
    given, response = group.scalar(opened.proof[:SCALAR_SIZE]), group.scalar(opened.proof[SCALAR_SIZE:])
    point, shared = group.element(sealed.point), group.element(opened.beta)
    if not group.is_scalar(response):
        failures.append(CheckFailure("12.A", where, "the response of the proof is not below q"))
    a = group.power(group.g, response) * group.power(keys.data_key, given) % group.p
    b = group.power(point, response) * group.power(shared, given) % group.p
    parts = (sealed.point, sealed.data, sealed.proof, group.element_bytes(a), group.element_bytes(b), opened.beta)
    if given != challenge(group, ballot.identifier_hash, Use.DATA_DECRYPTION_PROOF, small(opened.contest), *parts):
        failures.append(CheckFailure("12.B", where, "the proof does not show that the contest data were decrypted rightly"))
    size = len(sealed.data)
    keys_of_data = data_keys(ballot.identifier_hash, opened.contest, sealed.point, opened.beta, size)
    if len(opened.data) != size or opened.data != xor(sealed.data, keys_of_data):
        failures.append(CheckFailure("12.C", where, "the shown contest data are not what the ballot holds"))
    return failures
