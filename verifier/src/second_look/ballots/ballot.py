"""What one ballot shows by itself: verifications 5.B, 6, 7, 8.A and 8.B (sections 3.3 and 3.4), its form, and who sealed it."""

from typing import Any

from gmpy2 import mpz, powmod

from second_look.ballots.keys import Contest, Keys
from second_look.ballots.numbers import H, Hq, b, fixed_base, number, numbers
from second_look.report import Report


def has_form(ballot: dict[str, Any], keys: Keys, where: str, report: Report) -> bool:
    """R.5: the contests of the ballot's style, all their fields, each of the right length."""
    style = keys.styles[ballot["style"] - 1] if ballot["style"] <= len(keys.styles) else None
    if not report.require(
        [contest["contest"] for contest in ballot["contests"]] == style, "R.5", where, "not the contests of its style"
    ):
        return False
    wrong = _sealed_is_wrong(ballot["nonce"], 1, keys)
    for given in ballot["contests"]:
        contest = keys.contests[given["contest"] - 1]
        wrong |= selections_are_wrong(given["selections"], contest.limits, keys)
        wrong |= len(given["proof"]) != 64 * (contest.limit + 1)
        wrong |= (given["data"] is None) != (contest.data_blocks == 0)
        wrong |= given["data"] is not None and _sealed_is_wrong(given["data"], contest.data_blocks, keys)
    return report.require(not wrong, "R.5", where, "a field is missing or has another length than its contest's")


def selections_are_wrong(selections: list[dict[str, bytes]], limits: list[int], keys: Keys) -> bool:
    """Whether there is not one selection for each field, of the right lengths."""
    size = keys.group.size
    lengths = [(len(given["alpha"]), len(given["beta"]), len(given["proof"])) for given in selections]
    return lengths != [(size, size, 64 * (limit + 1)) for limit in limits]


def _sealed_is_wrong(sealed: dict[str, bytes], blocks: int, keys: Keys) -> bool:
    return (len(sealed["point"]), len(sealed["data"]), len(sealed["proof"])) != (keys.group.size, 32 * blocks, 64)


def check_ballot(ballot: dict[str, Any], keys: Keys, where: str, report: Report) -> None:
    """Everything that an ordinary ballot whose form is right shows by itself."""
    own = check_identifier(ballot, keys, where, report)
    hashes = []
    for given in ballot["contests"]:
        index, contest = given["contest"], keys.contests[given["contest"] - 1]
        place = f"{where}, contest {contest.label}"
        check_contest(own, index, contest, given["selections"], given["proof"], keys, place, report)
        if given["data"] is not None:
            check_sealed(own, 0x27, b(index), given["data"], keys, f"{place}, contest data", report)
        chi = contest_hash(own, index, [(part["alpha"], part["beta"]) for part in given["selections"]], given["data"])
        report.require(chi == given["hash"], "8.A", place, "the contest hash")
        hashes.append(given["hash"])
    report.require(H(own, 0x29, *hashes, ballot["chain"]) == ballot["code"], "8.B", where, "the confirmation code")


def check_identifier(ballot: dict[str, Any], keys: Keys, where: str, report: Report) -> bytes:
    """5.B, and the proof that the nonce was encrypted knowingly (equation 38). Returns H_I as published."""
    own: bytes = ballot["identifier_hash"]
    report.require(H(keys.extended, 0x20, ballot["identifier"]) == own, "5.B", where, "the selection encryption identifier hash")
    check_sealed(own, 0x23, b"", ballot["nonce"], keys, f"{where}, nonce", report)
    return own


def contest_hash(own: bytes, index: int, ciphertexts: list[tuple[bytes, bytes]], data: dict[str, bytes] | None) -> bytes:
    """Chi (equation 70)."""
    tail = () if data is None else (data["point"], data["data"], data["proof"])
    return H(own, 0x28, b(index), *(part for pair in ciphertexts for part in pair), *tail)


def check_contest(
    own: bytes,
    index: int,
    contest: Contest,
    selections: list[dict[str, bytes]],
    proof: bytes,
    keys: Keys,
    where: str,
    report: Report,
) -> None:
    """Verification 6 for every field, and verification 7 for their weighted sum."""
    group = keys.group
    alpha_bar = beta_bar = mpz(1)
    sound = True
    for at, (given, label) in enumerate(zip(selections, contest.labels, strict=True)):
        place = f"{where}, {label}"
        sound &= check_selection(own, index, at + 1, given, contest.limits[at], keys, place, report)
        weight = contest.weights[at]
        alpha_bar = group.times(alpha_bar, powmod(number(given["alpha"]), weight, group.p))
        beta_bar = group.times(beta_bar, powmod(number(given["beta"]), weight, group.p))
    report.require(sound, "7.A", where, "a field is not in Z_p^r")
    bar = (group.element(alpha_bar), group.element(beta_bar))
    _check_range(own, b(index), bar, proof, "7", keys, where, report)


def check_selection(
    own: bytes, index: int, field: int, given: dict[str, bytes], limit: int, keys: Keys, where: str, report: Report
) -> bool:
    """Verification 6 for one field; says whether its ciphertext is in the group."""
    alpha, beta = number(given["alpha"]), number(given["beta"])
    sound = keys.group.contains(alpha) and keys.group.contains(beta)
    report.require(sound, "6.A", where, "alpha or beta is not in Z_p^r")
    if len(given["proof"]) == 64 * (limit + 1):
        pair = (given["alpha"], given["beta"])
        _check_range(own, b(index) + b(field), pair, given["proof"], "6", keys, where, report)
    return sound


def _check_range(
    own: bytes, place: bytes, pair: tuple[bytes, bytes], proof: bytes, verification: str, keys: Keys, where: str, report: Report
) -> None:
    """That (alpha, beta) encrypts 0 ... R: c_0 ... c_R, v_0 ... v_R (equation 59; 62 for the sum of a contest)."""
    group, alpha, beta = keys.group, number(pair[0]), number(pair[1])
    scalars = numbers(proof)
    challenges, responses = scalars[: len(scalars) // 2], scalars[len(scalars) // 2 :]
    inside = report.require(all(c < group.q for c in challenges), f"{verification}.B", where, "a challenge is not in Z_q")
    inside &= report.require(all(v < group.q for v in responses), f"{verification}.C", where, "a response is not in Z_q")
    if not inside:
        return
    g, k = fixed_base(group, group.g), fixed_base(group, keys.vote)
    commitments = []
    for j, (c, v) in enumerate(zip(challenges, responses, strict=True)):
        commitments.append(group.times(g.power(v), powmod(alpha, c, group.p)))
        commitments.append(group.times(k.power((v - j * c) % group.q), powmod(beta, c, group.p)))
    parts = map(group.element, commitments)
    holds = sum(challenges) % group.q == Hq(group, own, 0x24, place, *pair, *parts)
    report.require(holds, f"{verification}.D", where, "the proof of the range does not hold")


def check_sealed(own: bytes, use: int, place: bytes, sealed: dict[str, bytes], keys: Keys, where: str, report: Report) -> None:
    """R.6: the Schnorr proof of a hashed ElGamal ciphertext (equations 38 and 69)."""
    group, point = keys.group, number(sealed["point"])
    c, v = numbers(sealed["proof"])
    if not report.require(group.contains(point) and v < group.q, "R.6", where, "C_0 or the response is out of its set"):
        return
    a = group.times(fixed_base(group, group.g).power(v), powmod(point, c, group.p))
    holds = c == Hq(group, own, use, place, group.element(a), sealed["point"], sealed["data"])
    report.require(holds, "R.6", where, "the proof of knowledge does not hold")
