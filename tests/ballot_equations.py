"""All findings about one ballot straight from the equations, one power at a time: what the fast checks are compared with.

Nothing here is shared with the checks under test but the hash and the values of the record. `naive_ballots.py` is written for
other tests and names the first fault of each proof only.
"""

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.group import Group, RandomBytes
from scrutineer.ballots.hashing import Use, challenge, digest, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import SIMPLE_CHAINING, Ballot, BallotContest, Sealed

Finding = tuple[str, int, int]
"""Check, contest and field; 0 for what belongs to no contest or field."""

STATUSES = ("cast", "challenged", "cast", "spoiled", "provisional")


def honest_ballots(keys: ElectionKeys, count: int, random: RandomBytes, style: int = 1) -> list[Ballot]:
    """Chained ballots of every status, with different valid choices."""
    encryptor = Encryptor(keys, window=4, random=random)
    code, ballots = random(32), []
    for number in range(count):
        choices = {}
        for index in keys.manifest.style(style).contests:
            contest = keys.manifest.contest(index)
            values = [0] * len(contest.labels())
            values[number % len(contest.options)] = 1 + number % contest.option_limit
            choices[index] = ContestChoice(tuple(values), random(32 * contest.data_blocks))
        made = encryptor.encrypt(style, choices, SIMPLE_CHAINING + code).ballot
        code = made.code
        ballots.append(msgspec.structs.replace(made, status=STATUSES[number % len(STATUSES)]))
    return ballots


def contest_hash(hashed: bytes, contest: BallotContest) -> bytes:
    parts = b"".join(selection.alpha + selection.beta for selection in contest.selections)
    if contest.data is not None:
        parts += contest.data.point + contest.data.data + contest.data.proof
    return digest(hashed, Use.CONTEST, small(contest.contest), parts)


def code_of(ballot: Ballot) -> bytes:
    return digest(ballot.identifier_hash, Use.CONFIRMATION, b"".join(contest.hash for contest in ballot.contests), ballot.chain)


def rehashed(ballot: Ballot) -> Ballot:
    """A changed ballot whose contest hashes and code follow the change, as a forger would have them."""
    contests = tuple(
        msgspec.structs.replace(contest, hash=contest_hash(ballot.identifier_hash, contest)) for contest in ballot.contests
    )
    changed = msgspec.structs.replace(ballot, contests=contests)
    return msgspec.structs.replace(changed, code=code_of(changed))


def equation_findings(keys: ElectionKeys, ballot: Ballot) -> set[Finding]:
    """Everything wrong with a ballot of the right form."""
    group, hashed = keys.group, ballot.identifier_hash
    found: set[Finding] = set()
    if hashed != digest(keys.extended_hash, Use.IDENTIFIER, ballot.identifier):
        found.add(("5.B", 0, 0))
    if ballot.code != code_of(ballot):
        found.add(("8.B", 0, 0))
    if not _seal_holds(group, hashed, Use.BALLOT_NONCE_PROOF, b"", ballot.nonce):
        found.add(("R.6", 0, 0))
    for part in ballot.contests:
        contest = keys.manifest.contest(part.contest)
        if part.hash != contest_hash(hashed, part):
            found.add(("8.A", part.contest, 0))
        if part.data is not None and not _seal_holds(group, hashed, Use.DATA_PROOF, small(part.contest), part.data):
            found.add(("R.6", part.contest, 0))
        alphas, betas, p = 1, 1, int(group.p)
        for field, (selection, weight) in enumerate(zip(part.selections, contest.weights(), strict=True), start=1):
            alpha, beta = int.from_bytes(selection.alpha, "big"), int.from_bytes(selection.beta, "big")
            if any(not 0 < value < p or pow(value, int(group.q), p) != 1 for value in (alpha, beta)):
                found |= {("6.A", part.contest, field), ("7.A", part.contest, 0)}
            head = small(part.contest) + small(field) + selection.alpha + selection.beta
            faults = _proof_faults(keys, hashed, head, alpha, beta, selection.proof)
            found |= {(f"6.{letter}", part.contest, field) for letter in faults}
            alphas, betas = alphas * alpha**weight % p, betas * beta**weight % p
        head = small(part.contest) + group.element_bytes(mpz(alphas)) + group.element_bytes(mpz(betas))
        found |= {(f"7.{letter}", part.contest, 0) for letter in _proof_faults(keys, hashed, head, alphas, betas, part.proof)}
    return found


def _proof_faults(keys: ElectionKeys, hashed: bytes, head: bytes, alpha: int, beta: int, proof: bytes) -> set[str]:
    p, q, g, key = int(keys.group.p), int(keys.group.q), int(keys.group.g), int(keys.vote_key)
    numbers = [int.from_bytes(proof[start : start + 32], "big") for start in range(0, len(proof), 32)]
    challenges, responses = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
    found = set()
    if any(c >= q for c in challenges):
        found.add("B")
    if any(v >= q for v in responses):
        found.add("C")
    commitments = b""
    for j, (c, v) in enumerate(zip(challenges, responses, strict=True)):
        first = pow(g, v, p) * pow(alpha, c, p) % p
        second = pow(key, (v - j * c) % q, p) * pow(beta, c, p) % p
        commitments += keys.group.element_bytes(mpz(first)) + keys.group.element_bytes(mpz(second))
    if challenge(keys.group, hashed, Use.RANGE_PROOF, head, commitments) != sum(challenges) % q:
        found.add("D")
    return found


def _seal_holds(group: Group, hashed: bytes, use: Use, number: bytes, part: Sealed) -> bool:
    point = int.from_bytes(part.point, "big")
    c, v = int.from_bytes(part.proof[:32], "big"), int.from_bytes(part.proof[32:], "big")
    if not 0 < point < group.p or pow(point, int(group.q), int(group.p)) != 1 or max(c, v) >= group.q:
        return False
    commitment = group.power(group.g, mpz(v)) * group.power(mpz(point), mpz(c)) % group.p
    return bool(challenge(group, hashed, use, number, group.element_bytes(commitment), part.point, part.data) == c)
