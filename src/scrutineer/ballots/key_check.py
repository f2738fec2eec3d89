"""Whether the trustees' published keys are what they should be: verifications 1 to 4.

ElectionGuard Design Specification 2.1.0, sections 6.2.1 to 6.2.3. Everybody runs these checks on `ballots.json` before anything
is encrypted or verified under its keys; nothing is taken from the file that could be computed.
"""

from typing import NamedTuple

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.failures import CheckFailure, shown
from scrutineer.ballots.group import SCALAR_SIZE, STANDARD, Group
from scrutineer.ballots.hashing import Use, challenge, digest, small
from scrutineer.ballots.keys import (
    SPECIFICATION,
    ElectionKeys,
    KeyRecord,
    base_hash,
    election_keys,
    parameter_hash,
    read_key_record,
)
from scrutineer.errors import BallotError

WHERE = "ballots.json"


class CheckedKeys(NamedTuple):
    """What a file of keys holds, and what is wrong with it. Nothing can be checked under keys that are None."""

    record: KeyRecord | None
    keys: ElectionKeys | None
    failures: tuple[CheckFailure, ...]


def check_key_file(data: bytes, group: Group = STANDARD) -> CheckedKeys:
    """Read and check the file of the trustees' keys (R.1 and verifications 1 to 4). Another group is for tests alone."""
    try:
        record = read_key_record(data, group)
    except (BallotError, ValueError, RecursionError) as error:
        # A file that names another group has other lengths as well: the number of its check says more than its form.
        return CheckedKeys(None, None, (*_parameters_of(data, group), CheckFailure("R.1", WHERE, shown(error, 300))))
    failures = check_keys(record, group)
    try:
        return CheckedKeys(record, election_keys(record, group), failures)
    except BallotError as error:
        return CheckedKeys(record, None, (*failures, CheckFailure("R.1", WHERE, shown(error, 300))))


def check_keys(record: KeyRecord, group: Group = STANDARD) -> tuple[CheckFailure, ...]:
    """Verifications 1 to 4 of a record whose form is right."""
    failures = _parameters(record.specification, record.p, record.q, record.g, group)
    count = len(record.guardians)
    parameters = parameter_hash(group, count, record.quorum)
    if record.parameter_hash != parameters:
        failures.append(
            CheckFailure("1.E", WHERE, f"the parameter hash is not that of {count} trustees with a quorum of {record.quorum}")
        )
    if record.base_hash != base_hash(parameters, record.manifest):
        failures.append(CheckFailure("1.F", WHERE, "the base hash is not that of the manifest"))
    for guardian in record.guardians:
        where = f"{WHERE}, trustee {guardian.index}"
        kappa = guardian.communication
        for label, kind, keys, proof in (
            (b"pk_vote", "votes", guardian.vote, guardian.vote_proof),
            (b"pk_data", "ballot data", guardian.data, guardian.data_proof),
        ):
            failures += _key_proof(group, parameters, guardian.index, (*keys, kappa), proof, label, f"{where}, key for {kind}")
    for check, kind, joint, parts in (
        ("3.A", "votes", record.vote_key, [guardian.vote[0] for guardian in record.guardians]),
        ("3.B", "ballot data", record.data_key, [guardian.data[0] for guardian in record.guardians]),
    ):
        product = mpz(1)
        for part in parts:
            product = product * group.element(part) % group.p
        if group.element_bytes(product) != joint:
            failures.append(CheckFailure(check, WHERE, f"the joint key for {kind} is not the product of the trustees' keys"))
        # Trustees whose secrets add up to 0 make the key 1. Every power of it is 1, so anything could be proved of any total.
        if product == 1:
            failures.append(CheckFailure("R.1", WHERE, f"the joint key for {kind} is 1: it hides nothing and proves nothing"))
    if record.extended_hash != digest(record.base_hash, Use.EXTENDED_BASE, record.vote_key, record.data_key):
        failures.append(CheckFailure("4.A", WHERE, "the extended base hash is not that of the base hash and the joint keys"))
    return tuple(failures)


def _parameters(version: str, p: bytes, q: bytes, g: bytes, group: Group) -> list[CheckFailure]:
    failures = []
    if version != SPECIFICATION:
        failures.append(CheckFailure("1.A", WHERE, f"the keys were made for version {version[:40]!r}, and not {SPECIFICATION}"))
    for check, name, given, own in (
        ("1.B", "large prime p", p, group.element_bytes(group.p)),
        ("1.C", "small prime q", q, group.scalar_bytes(group.q)),
        ("1.D", "generator g", g, group.element_bytes(group.g)),
    ):
        if given != own:
            failures.append(CheckFailure(check, WHERE, f"the {name} is not the standard one"))
    return failures


class _Parameters(msgspec.Struct):
    specification: str
    p: bytes
    q: bytes
    g: bytes


def _parameters_of(data: bytes, group: Group) -> list[CheckFailure]:
    """What can be said of a file that cannot be read in full."""
    try:
        found = msgspec.json.decode(data, type=_Parameters)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return []
    return _parameters(found.specification, found.p, found.q, found.g, group)


def _key_proof(
    group: Group, parameters: bytes, index: int, keys: tuple[bytes, ...], proof: bytes, label: bytes, where: str
) -> list[CheckFailure]:
    """Verification 2 for one guardian and one of the two keys: c, v_0 ... v_k over K_0 ... K_k-1 and kappa."""
    failures = []
    elements = [group.element(key) for key in keys]
    if not all(group.is_element(element) for element in elements):
        failures.append(CheckFailure("2.A", where, "a public key is no element of the group"))
    scalars = [group.scalar(proof[start : start + SCALAR_SIZE]) for start in range(0, len(proof), SCALAR_SIZE)]
    given, responses = scalars[0], scalars[1:]
    if not all(group.is_scalar(response) for response in responses):
        failures.append(CheckFailure("2.B", where, "a response of the proof is not below q"))
    commitments = [
        group.element_bytes(group.power(group.g, response) * group.power(element, given) % group.p)
        for response, element in zip(responses, elements, strict=True)
    ]
    if given != challenge(group, parameters, Use.GUARDIAN_PROOF, label, small(index), *keys, *commitments):
        failures.append(CheckFailure("2.C", where, "the proof does not show that the trustee knows the secrets of these keys"))
    return failures
