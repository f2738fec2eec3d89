"""What the trustees opened: totals (10 and 11), contest data (12), challenged ballots (13 and 14); sections 3.6.5 to 3.6.7."""

from typing import Any

from gmpy2 import invert, mpz, powmod

from second_look.ballots.ballot import contest_hash
from second_look.ballots.bundle import Bundle
from second_look.ballots.keys import Contest, Keys
from second_look.ballots.numbers import H, Hq, b, fixed_base, number, numbers, stream
from second_look.ballots.wire import LARGEST_TALLY, TALLY, read
from second_look.report import Report

Totals = dict[str, dict[str, int]]


def read_tally(data: bytes) -> dict[str, Any]:
    """A tally record in its only form; raises FormatError."""
    record: dict[str, Any] = read(data, TALLY, LARGEST_TALLY)
    return record


def check_tally(tally: dict[str, Any], bundle: Bundle, keys: Keys, where: str, report: Report) -> Totals:
    """Everything in a tally record beside its bundle. Returns the totals by contest and label."""
    own = tally["keys"] == keys.extended and tally["bundle"] == bundle.name
    report.require(own, "R.8", where, "it belongs to other keys or to another bundle")
    indices = {contest.label: at for at, contest in enumerate(keys.contests, start=1)}
    stated = [contest["label"] for contest in tally["contests"]]
    known = [indices[label] for label in stated if label in indices]
    report.require(len(known) == len(stated), "11.A", where, "a contest is not in the manifest")
    report.require(known == sorted(set(known)), "R.8", where, "the contests are not in the order of the manifest, each once")
    report.require(bundle.seen <= set(known), "11.D", where, "a contest that stands on ballots has no totals")
    report.require(set(bundle.products) - bundle.seen <= set(known), "R.8", where, "a contest of the bundle has no totals")
    totals: Totals = {}
    for given in tally["contests"]:
        if given["label"] in indices:
            index = indices[given["label"]]
            contest = keys.contests[index - 1]
            totals[contest.label] = _check_contest(given, index, contest, bundle, keys, where, report)
    for index, contest in enumerate(keys.contests, start=1):
        if contest.exact and contest.label in totals:
            # R.9: no ballot holds more than L, so that a sum of L times the ballots shows that none holds less.
            own_totals = totals[contest.label]
            weighted = sum(
                weight * own_totals.get(label, 0) for label, weight in zip(contest.labels, contest.weights, strict=True)
            )
            holds = weighted == contest.limit * bundle.cast[index]
            report.require(holds, "R.9", f"{where}, contest {contest.label}", "the totals do not add up to the ballots cast")
    _check_challenged(tally, bundle, keys, where, report)
    for opened in tally["data"]:
        _check_data(opened, bundle, keys, f"{where}, ballot {opened['code'].hex()[:8]}", report)
    return totals


def _check_contest(
    given: dict[str, Any], index: int, contest: Contest, bundle: Bundle, keys: Keys, where: str, report: Report
) -> dict[str, int]:
    where = f"{where}, contest {contest.label}"
    stated = [field["label"] for field in given["fields"]]
    report.require(set(stated) <= set(contest.labels), "11.B", where, "an option is not in the manifest")
    report.require(set(contest.labels) <= set(stated), "11.C", where, "an option of the manifest has no total")
    in_order = [label for label in contest.labels if label in stated]
    report.require(
        [label for label in stated if label in contest.labels] == in_order, "R.8", where, "options twice or in another order"
    )
    products = bundle.products.get(index, [(mpz(1), mpz(1))] * len(contest.labels))
    for field in given["fields"]:
        if field["label"] in contest.labels:
            at = contest.labels.index(field["label"])
            _check_total(field, index, at + 1, *products[at], keys, f"{where}, {field['label']}", report)
    return {field["label"]: field["total"] for field in given["fields"]}


def _check_total(field: dict[str, Any], index: int, option: int, a: mpz, b_: mpz, keys: Keys, where: str, report: Report) -> None:
    """Verification 10 of one total, whose encryption is (A, B)."""
    group = keys.group
    if not report.require((len(field["proof"]), len(field["value"])) == (64, group.size), "R.8", where, "another length"):
        return
    c, v = numbers(field["proof"])
    t = number(field["value"])
    report.require(v < group.q, "10.A", where, "the response is not in Z_q")
    report.require(t == powmod(keys.vote, field["total"], group.p), "10.C", where, f"T is not K to the power {field['total']}")
    if not report.require(0 < t < group.p, "10.B", where, "T cannot be inverted"):
        return
    m = group.times(b_, invert(t, group.p))
    first = group.times(powmod(group.g, v, group.p), powmod(keys.vote, c, group.p))
    second = group.times(powmod(a, v, group.p), powmod(m, c, group.p))
    parts = [group.element(value) for value in (a, b_, first, second, m)]
    report.require(c == Hq(group, keys.extended, 0x31, b(index), b(option), *parts), "10.B", where, "the proof does not hold")


def _check_data(opened: dict[str, Any], bundle: Bundle, keys: Keys, where: str, report: Report) -> None:
    """Verification 12: contest data of a cast ballot."""
    group, index = keys.group, opened["contest"]
    ballot = bundle.kept.get(opened["code"])
    contests = ballot["contests"] if ballot is not None else []
    sealed = next((part["data"] for part in contests if part["contest"] == index), None)
    if ballot is None or sealed is None:
        check = "R.8" if ballot is None else "12.C"
        report.add(check, where, "data are opened of no ballot of this bundle, or of a contest that has none")
        return
    report.require(ballot["status"] == "cast", "R.10", where, "data are opened of a ballot that was not cast")
    if not report.require((len(opened["proof"]), len(opened["beta"])) == (64, group.size), "R.8", where, "another length"):
        return
    c, v = numbers(opened["proof"])
    c0, beta = number(sealed["point"]), number(opened["beta"])
    report.require(v < group.q, "12.A", where, "the response is not in Z_q")
    first = group.times(powmod(group.g, v, group.p), powmod(keys.data, c, group.p))
    second = group.times(powmod(c0, v, group.p), powmod(beta, c, group.p))
    whole = sealed["point"] + sealed["data"] + sealed["proof"]
    parts = (b(index), whole, group.element(first), group.element(second), opened["beta"])
    report.require(c == Hq(group, ballot["identifier_hash"], 0x33, *parts), "12.B", where, "the proof does not hold")
    own = _decrypt(ballot["identifier_hash"], index, sealed["data"], sealed["point"], opened["beta"])
    report.require(own == opened["data"], "12.C", where, "the data are not what the ballot holds")


def _decrypt(own: bytes, index: int, data: bytes, alpha: bytes, beta: bytes) -> bytes:
    """Contest data from their ciphertext (equations 65, 66 and 106)."""
    h = H(own, 0x26, b(index), alpha, beta)
    keys = stream(h, b"data_enc_keys", b"contest_data" + b(index), len(data) // 32)
    return bytes(left ^ right for left, right in zip(data, keys, strict=True))


def _check_challenged(tally: dict[str, Any], bundle: Bundle, keys: Keys, where: str, report: Report) -> None:
    """Every challenged ballot is opened once, and no other (R.10); then verifications 13 and 14."""
    opened = [ballot["code"] for ballot in tally["challenged"]]
    challenged = [code for code, ballot in bundle.kept.items() if ballot["status"] == "challenged"]
    report.require(sorted(opened) == sorted(challenged), "R.10", where, "not exactly the challenged ballots are opened")
    for ballot in tally["challenged"]:
        if ballot["code"] in challenged:
            place = f"{where}, ballot {ballot['code'].hex()[:8]}"
            _check_opened(ballot, bundle.kept[ballot["code"]], keys, place, report)


def _check_opened(opened: dict[str, Any], ballot: dict[str, Any], keys: Keys, where: str, report: Report) -> None:
    """Verifications 13 and 14 of one challenged ballot."""
    labels = {keys.contests[given["contest"] - 1].label: given for given in ballot["contests"]}
    stated = [contest["label"] for contest in opened["contests"]]
    report.require(set(stated) <= set(labels), "14.A", where, "a contest is not of the ballot's style")
    report.require(set(labels) <= set(stated), "14.B", where, "a contest of the ballot's style is not opened")
    report.require(len(set(stated)) == len(stated), "R.10", where, "a contest is opened twice")
    hashes = {given["contest"]: given["hash"] for given in ballot["contests"]}
    for contest in opened["contests"]:
        if contest["label"] in labels:
            given = labels[contest["label"]]
            place = f"{where}, contest {contest['label']}"
            own = _open_contest(ballot["identifier_hash"], contest, given, keys, place, report)
            hashes[given["contest"]] = own
    code = H(ballot["identifier_hash"], 0x29, *(hashes[given["contest"]] for given in ballot["contests"]), ballot["chain"])
    report.require(code == ballot["code"], "13.B", where, "the shown choices give another confirmation code")


def _open_contest(own: bytes, opened: dict[str, Any], given: dict[str, Any], keys: Keys, where: str, report: Report) -> bytes:
    """13.1 to 13.3, 13.A, 14.C to 14.F. Returns the contest hash that the shown choices give."""
    group, index = keys.group, given["contest"]
    contest = keys.contests[index - 1]
    stated = [field["label"] for field in opened["fields"]]
    report.require(set(stated) <= set(contest.labels), "14.C", where, "an option is not in the manifest")
    report.require(set(contest.labels) <= set(stated), "14.D", where, "an option of the manifest is not opened")
    values = {field["label"]: field for field in opened["fields"]}
    limits = dict(zip(contest.labels, contest.limits, strict=True))
    sound = all(values[label]["value"] <= limits[label] for label in contest.labels if label in values)
    report.require(sound, "14.E", where, "an option has more than one option may be given")
    weights = dict(zip(contest.labels, contest.weights, strict=True))
    total = sum(weights.get(label, 0) * field["value"] for label, field in values.items())
    report.require(total <= contest.limit, "14.F", where, "there are more choices than are allowed")
    _check_opened_data(own, opened, given, keys, where, report)
    report.require(len(set(stated)) == len(stated), "R.10", where, "an option is opened twice")
    if stated != contest.labels:
        report.add("13.B", where, "the options are not those of the contest in their order: nothing can be encrypted again")
        return b"\x00" * 32
    g, k = fixed_base(group, group.g), fixed_base(group, keys.vote)
    pairs = []
    for label in contest.labels:
        xi = number(values[label]["nonce"])
        if not report.require(len(values[label]["nonce"]) == 32 and xi < group.q, "13.B", where, "a nonce is not in Z_q"):
            return b"\x00" * 32
        pairs.append((group.element(g.power(xi)), group.element(k.power((xi + values[label]["value"]) % group.q))))
    return contest_hash(own, index, pairs, given["data"])


def _check_opened_data(own: bytes, opened: dict[str, Any], given: dict[str, Any], keys: Keys, where: str, report: Report) -> None:
    """13.A. The nonce must be the one that C_0 was made with, or any data could be shown."""
    group, sealed = keys.group, given["data"]
    if sealed is None:
        report.require(not opened["data"] and not opened["data_nonce"], "13.A", where, "data are shown where the ballot has none")
        return
    xi = number(opened["data_nonce"])
    if not report.require(len(opened["data_nonce"]) == 32 and xi < group.q, "13.A", where, "the nonce of the data is not in Z_q"):
        return
    alpha = group.element(powmod(group.g, xi, group.p))
    beta = group.element(powmod(keys.data, xi, group.p))
    holds = alpha == sealed["point"] and _decrypt(own, given["contest"], sealed["data"], alpha, beta) == opened["data"]
    report.require(holds, "13.A", where, "the shown data are not what the ballot holds")
