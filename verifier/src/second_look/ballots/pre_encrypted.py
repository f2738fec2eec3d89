"""Pre-encrypted ballots: verifications 15 to 19, and 5.B, 6 and 7 for their encryptions (section 4).

A contest has one selection vector for each unit that a field may be given, in the order of the manifest, then L null vectors
(docs/formats.md, "Ballot records"). A cast ballot shows the L vectors that were chosen; an uncast one opens all of them.
"""

from collections import Counter
from typing import Any

from gmpy2 import mpz

from second_look.ballots.ballot import check_contest, check_identifier, check_selection, selections_are_wrong
from second_look.ballots.keys import Contest, Keys
from second_look.ballots.numbers import H, b, fixed_base, number
from second_look.report import Report

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def short_code(trimming: int, psi: bytes) -> str:
    """The hash-trimming functions 1 to 8 of section 4.6; hexadecimal characters are capitals."""
    last = psi[-1]
    codes = (
        f"{last:02X}",
        f"{psi[-2]:02X}{last:02X}",
        f"{_LETTERS[last // 10]}{last % 10}",
        f"{last // 26}{_LETTERS[last % 26]}",
        str(last),
        str(last + 1),
        str(last + 100),
        str(last + 101),
    )
    return codes[trimming - 1] if 1 <= trimming <= 8 else ""


def _vectors(contest: Contest) -> list[int]:
    """For each selection vector the place of its field from 0; -1 for the null vectors."""
    return [at for at, limit in enumerate(contest.limits) for _ in range(limit)] + [-1] * contest.limit


def has_pre_encrypted_form(ballot: dict[str, Any], keys: Keys, where: str, report: Report) -> bool:
    """R.5 for a pre-encrypted ballot. An uncast ballot's contests are named by their labels, which verification 19 compares."""
    style = keys.styles[ballot["style"] - 1] if ballot["style"] <= len(keys.styles) else None
    nonce = ballot["nonce"]
    wrong = (len(nonce["point"]), len(nonce["data"]), len(nonce["proof"])) != (keys.group.size, 32, 64)
    numbered = [contest["contest"] for contest in ballot["contests"]]
    wrong |= style is None or any(keys.contest(index) is None for index in numbered)
    wrong |= ballot["status"] == "cast" and numbered != style
    for given in [] if wrong else ballot["contests"]:
        contest = keys.contests[given["contest"] - 1]
        if ballot["status"] == "cast":
            wrong |= bool(given["label"] or given["opened"]) or len(given["chosen"]) != contest.limit
            wrong |= selections_are_wrong(given["selections"], contest.limits, keys)
            wrong |= len(given["proof"]) != 64 * (contest.limit + 1)
            wrong |= any(
                selections_are_wrong(vector["selections"], [1] * len(contest.labels), keys) for vector in given["chosen"]
            )
        else:
            wrong |= bool(given["chosen"] or given["selections"] or given["proof"])
    return report.require(not wrong, "R.5", where, "a part is missing, does not belong there or has another length")


def check_pre_encrypted(ballot: dict[str, Any], keys: Keys, where: str, report: Report) -> None:
    """Everything that a pre-encrypted ballot whose form is right shows by itself."""
    own = check_identifier(ballot, keys, where, report)
    if ballot["status"] == "uncast":
        style = [keys.contests[index - 1].label for index in keys.styles[ballot["style"] - 1]]
        stated = [contest["label"] for contest in ballot["contests"]]
        report.require(set(stated) <= set(style), "19.A", where, "a contest is not of the ballot's style")
        report.require(set(style) <= set(stated), "19.B", where, "a contest of the ballot's style is missing")
        report.require(stated == style, "R.5", where, "the contests are not in the order of the manifest, each once")
    shown = []  # contest hashes as the opened vectors give them (18.4)
    for given in ballot["contests"]:
        contest = keys.contests[given["contest"] - 1]
        place = f"{where}, contest {contest.label}"
        # 16.B: chi over the sorted selection hashes (equation 115).
        sound = given["hashes"] == sorted(given["hashes"]) and len(given["hashes"]) == len(_vectors(contest))
        sound &= H(own, 0x41, b(given["contest"]), *given["hashes"]) == given["hash"]
        report.require(sound, "16.B", place, "the contest hash, or the order or number of the selection hashes")
        codes = [short_code(keys.manifest["trimming"], psi) for psi in given["hashes"]]
        report.require(len(set(codes)) == len(codes), "17.A", place, "a short code stands twice in the contest")
        if ballot["status"] == "cast":
            _check_chosen(own, given, contest, keys, place, report)
            shown.append(given["hash"])
        else:
            shown.append(_check_opened(own, given, contest, keys, place, report))
    hashes = [contest["hash"] for contest in ballot["contests"]]
    report.require(H(own, 0x42, *hashes, ballot["chain"]) == ballot["code"], "16.C", where, "the confirmation code")
    if ballot["status"] == "uncast":
        report.require(H(own, 0x42, *shown, ballot["chain"]) == ballot["code"], "18.A", where, "the vectors give another code")


def _psi(own: bytes, ciphertexts: list[tuple[bytes, bytes]]) -> bytes:
    """The selection hash of a vector (equations 113 and 114)."""
    return H(own, 0x40, *(part for pair in ciphertexts for part in pair))


def _check_chosen(own: bytes, given: dict[str, Any], contest: Contest, keys: Keys, where: str, report: Report) -> None:
    """A cast ballot: the chosen vectors, their product with its proofs, and the short codes."""
    group = keys.group
    product = [(mpz(1), mpz(1))] * len(contest.labels)
    left = Counter(given["hashes"])
    chosen = [vector["hash"] for vector in given["chosen"]]
    report.require(chosen == sorted(set(chosen)), "R.5", where, "the chosen vectors are not in ascending order, each once")
    for at, vector in enumerate(given["chosen"]):
        place = f"{where}, choice {at + 1}"
        pairs = [(part["alpha"], part["beta"]) for part in vector["selections"]]
        left[vector["hash"]] -= 1
        sound = _psi(own, pairs) == vector["hash"] and left[vector["hash"]] >= 0
        report.require(sound, "16.A", place, "the selection hash, or it is none of the ballot's")
        code = short_code(keys.manifest["trimming"], vector["hash"])
        report.require(code == vector["code"] != "", "17.A", place, f"the short code is {vector['code']!r} instead of {code!r}")
        for field, part in enumerate(vector["selections"]):
            check_selection(own, given["contest"], field + 1, part, 1, keys, f"{place}, {contest.labels[field]}", report)
        product = [
            (group.times(a, number(alpha)), group.times(c, number(beta)))
            for (a, c), (alpha, beta) in zip(product, pairs, strict=True)
        ]
    stated = [(number(part["alpha"]), number(part["beta"])) for part in given["selections"]]
    report.require(stated == product, "15.A", where, "the selection vector is not the product of the chosen ones")
    check_contest(own, given["contest"], contest, given["selections"], given["proof"], keys, where, report)


def _check_opened(own: bytes, given: dict[str, Any], contest: Contest, keys: Keys, where: str, report: Report) -> bytes:
    """An uncast ballot: every vector encrypted again with its nonces. Returns the contest hash that they give."""
    group = keys.group
    g, k = fixed_base(group, group.g), fixed_base(group, keys.vote)
    report.require(given["label"] == contest.label, "R.5", where, "it bears the label of another contest, or of none")
    fields = _vectors(contest)
    labels = [contest.labels[field] if field >= 0 else "" for field in fields]
    stated = [vector["label"] for vector in given["opened"]]
    report.require(not Counter(stated) - Counter(labels), "19.C", where, "a label is none of the contest's, or stands too often")
    report.require(not Counter(labels) - Counter(stated), "19.D", where, "an option of the contest is missing")
    report.require(stated == labels, "R.5", where, "the vectors are not in the order of the manifest")
    hashes = []
    for at, vector in enumerate(given["opened"]):
        place = f"{where}, vector {at + 1}"
        field = contest.labels.index(vector["label"]) if vector["label"] in contest.labels else -1
        if [len(nonce) for nonce in vector["nonces"]] != [32] * len(contest.labels):
            report.add("18.A", place, "not one nonce for each field")
            continue
        pairs = []
        for position, nonce in enumerate(map(number, vector["nonces"])):
            xi = nonce % group.q
            alpha, mask = g.power(xi), k.power(xi)
            pairs.append((group.element(alpha), group.element(group.times(mask, keys.vote if position == field else mpz(1)))))
            report.require(nonce < group.q, "18.A", place, "a nonce is not in Z_q")
        psi = _psi(own, pairs)
        report.require(psi == vector["hash"], "16.A", place, "the selection hash is not that of the vector")
        code = short_code(keys.manifest["trimming"], vector["hash"])
        report.require(code == vector["code"] != "", "17.A", place, f"the short code is {vector['code']!r} instead of {code!r}")
        hashes.append(psi)
    return H(own, 0x41, b(given["contest"]), *sorted(hashes))
