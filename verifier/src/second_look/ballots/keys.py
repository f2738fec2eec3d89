"""Verifications 1 to 4: parameters, guardians' keys, joint keys and base hashes (sections 3.1 and 3.2)."""

import json
from dataclasses import dataclass, field
from typing import Any

from gmpy2 import mpz

from second_look.ballots.numbers import Group, H, Hq, b, fixed_base, number, numbers, sized
from second_look.ballots.wire import FIELDS, KEYS, LARGEST_KEYS, read
from second_look.report import FormatError, Report
from second_look.statements import ident

VERSION = b"v2.1.0".ljust(32, b"\x00")
WHERE = "ballots.json"


@dataclass(frozen=True)
class Contest:
    """One contest of the manifest: its verifiable fields with the limit R and the weight of each (section 3.3.9)."""

    label: str
    limit: int
    """L."""
    labels: list[str]
    limits: list[int]
    weights: list[int]
    data_blocks: int
    exact: bool
    """Whether every honest ballot adds up to exactly L."""


@dataclass
class Keys:
    """What ballots are verified under."""

    group: Group
    manifest: dict[str, Any]
    contests: list[Contest]
    styles: list[list[int]]
    vote: mpz
    """K."""
    data: mpz
    """K-hat."""
    extended: bytes
    """H_E."""
    identifiers: set[bytes] = field(default_factory=set)
    """Selection encryption identifiers that were seen (5.A)."""
    devices: dict[tuple[bytes, str], str] = field(default_factory=dict)
    """Where the bundle of each device was seen (R.12)."""

    def contest(self, index: int) -> Contest | None:
        """The contest of an index, which counts from 1."""
        return self.contests[index - 1] if 1 <= index <= len(self.contests) else None


def open_keys(data: bytes, group: Group, report: Report) -> Keys | None:
    """Check ballots.json; None where nothing can be verified under it."""
    try:
        record = read(data, KEYS, LARGEST_KEYS)
        contests = [_contest(contest) for contest in record["manifest"]["contests"]]
        _check_manifest(record["manifest"], contests)
    except FormatError as error:
        report.add("R.1", WHERE, str(error))
        return None
    base = _check_parameters(record, group, report)
    try:
        _check_lengths(record, group)
    except FormatError as error:
        report.add("R.1", WHERE, str(error))
        return None
    for guardian in record["guardians"]:
        for label, keys, proof in ((b"pk_vote", "vote", "vote_proof"), (b"pk_data", "data", "data_proof")):
            _check_guardian(record, group, guardian, label, guardian[keys], guardian[proof], report)
    for check, joint, own in (("3.A", "vote_key", "vote"), ("3.B", "data_key", "data")):
        product = group.times(*(number(guardian[own][0]) for guardian in record["guardians"]))
        report.require(product == number(record[joint]), check, WHERE, f"{joint} is not the product of the guardians' keys")
        report.require(product != 1, "R.1", WHERE, f"{joint} is 1, under which anything can be proved of any total")
    # 4.A. From here on nothing is taken from the file that was computed: ballots are bound to our own H_E.
    extended = H(base, 0x14, record["vote_key"], record["data_key"])
    report.require(extended == record["extended_hash"], "4.A", WHERE, "the extended base hash")
    styles = [style["contests"] for style in record["manifest"]["styles"]]
    return Keys(group, record["manifest"], contests, styles, number(record["vote_key"]), number(record["data_key"]), extended)


def _contest(given: dict[str, Any]) -> Contest:
    limit, options, fields = given["selection_limit"], given["options"], given["fields"]
    if fields != [name for name in FIELDS if name in fields] or len(set(options)) != len(options) or len(options + fields) > 512:
        raise FormatError(f"contest {given['label']}: fields in another order, an option twice, or too many")
    for option in options:
        for part in option.split(">") if given["orders"] else [option]:
            ident(part)
    if ("undervotes" in fields and limit == 1) or (given["orders"] and (limit, given["option_limit"]) != (1, 1)):
        raise FormatError(f"contest {given['label']}: its limits do not go with its fields")
    largest = {"blank": 1, "null": 1, "undervotes": limit - 1, "write-ins": limit}
    weight = {"blank": limit, "null": limit, "undervotes": 1, "write-ins": 1}
    needed = {"blank", "null"} | ({"undervotes"} if limit > 1 else set())
    return Contest(
        given["label"],
        limit,
        options + ["*" + name for name in fields],
        [given["option_limit"]] * len(options) + [largest[name] for name in fields],
        [1] * len(options) + [weight[name] for name in fields],
        given["data_blocks"],
        needed <= set(fields),
    )


def _check_manifest(manifest: dict[str, Any], contests: list[Contest]) -> None:
    if len({contest.label for contest in contests}) != len(contests):
        raise FormatError("the manifest has a contest twice")
    labels = [style["label"] for style in manifest["styles"]]
    if len(set(labels)) != len(labels) or not all(labels):
        raise FormatError("a ballot style has no label, or stands twice")
    for style in manifest["styles"]:
        if style["contests"] != sorted(set(style["contests"])) or style["contests"][-1] > len(contests):
            raise FormatError(f"ballot style {style['label']} does not list contests in ascending order")
    for party in manifest["parties"]:
        for contest, option in party["options"]:
            if contest > len(contests) or option > len(manifest["contests"][contest - 1]["options"]):
                raise FormatError(f"party {party['label']} names an option that there is not")


def _check_lengths(record: dict[str, Any], group: Group) -> None:
    guardians, quorum = record["guardians"], record["quorum"]
    if [guardian["index"] for guardian in guardians] != list(range(1, len(guardians) + 1)) or quorum > len(guardians):
        raise FormatError("not guardians 1 to n with a quorum of at most n")
    elements = [record[key] for key in ("p", "g", "vote_key", "data_key")]
    for guardian in guardians:
        if len(guardian["vote"]) != quorum or len(guardian["data"]) != quorum:
            raise FormatError(f"guardian {guardian['index']} has not one commitment for each coefficient")
        if {len(guardian["vote_proof"]), len(guardian["data_proof"])} != {32 * (quorum + 2)}:
            raise FormatError(f"a proof of guardian {guardian['index']} has another length")
        elements += [*guardian["vote"], *guardian["data"], guardian["communication"]]
    if {len(element) for element in elements} != {group.size} or len(record["q"]) != 32:
        raise FormatError(f"an element has not {group.size} bytes")


def _check_parameters(record: dict[str, Any], group: Group, report: Report) -> bytes:
    """Verification 1. Returns our own H_B."""
    report.require(record["specification"] == "2.1.0", "1.A", WHERE, "made for another version of the specification")
    report.require(number(record["p"]) == group.p, "1.B", WHERE, "p is not the standard one")
    report.require(number(record["q"]) == group.q, "1.C", WHERE, "q is not the standard one")
    report.require(number(record["g"]) == group.g, "1.D", WHERE, "g is not the standard one")
    n, k = b(len(record["guardians"])), b(record["quorum"])
    own = H(VERSION, 0x00, group.element(group.p), b(int(group.q), 32), group.element(group.g), n, k)
    report.require(record["parameter_hash"] == own, "1.E", WHERE, "the parameter base hash")
    base = H(own, 0x01, sized(_manifest_bytes(record)))
    report.require(record["base_hash"] == base, "1.F", WHERE, "the base hash")
    return base


def _manifest_bytes(record: dict[str, Any]) -> bytes:
    """The file `manifest`: its JSON in the only form. Fields that hold their default are left out, so they go out again."""
    manifest = dict(record["manifest"])
    defaults = {"selection_limit": 1, "option_limit": 1, "fields": [], "data_blocks": 0, "orders": False}
    contests = [
        {key: value for key, value in contest.items() if key not in defaults or value != defaults[key]}
        for contest in manifest["contests"]
    ]
    manifest["contests"] = contests
    for key in ("parties", "trimming"):
        if not manifest[key]:
            del manifest[key]
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _check_guardian(
    record: dict[str, Any], group: Group, guardian: dict[str, Any], label: bytes, keys: list[bytes], proof: bytes, report: Report
) -> None:
    """Verification 2 for one of a guardian's two keys (equations 11 and 13)."""
    where = f"{WHERE}, guardian {guardian['index']}, {label.decode()}"
    publics = [*keys, guardian["communication"]]
    for public in publics:
        report.require(group.contains(number(public)), "2.A", where, "a public key is not in Z_p^r")
    c, *responses = numbers(proof)
    if not report.require(all(v < group.q for v in responses), "2.B", where, "a response is not in Z_q"):
        return
    g = fixed_base(group, group.g)
    commitments = [group.times(g.power(v), pow(number(public), c, group.p)) for v, public in zip(responses, publics, strict=True)]
    parts = (label, b(guardian["index"]), *publics, *map(group.element, commitments))
    report.require(c == Hq(group, record["parameter_hash"], 0x10, *parts), "2.C", where, "the challenge")
