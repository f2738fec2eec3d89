"""A station's bundle: its lines, its chain (8.C to 8.G; 16.D to 16.H), its aggregates (9) and counts (R.2 to R.7, R.11, R.12)."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gmpy2 import mpz

from second_look.ballots.ballot import check_ballot, has_form
from second_look.ballots.keys import Keys
from second_look.ballots.numbers import H, number, sized
from second_look.ballots.pre_encrypted import check_pre_encrypted, has_pre_encrypted_form
from second_look.ballots.wire import FORMAT, read_line
from second_look.report import FormatError, Report
from second_look.statements import ident

NONE, SIMPLE = b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"


@dataclass(frozen=True)
class Uses:
    """The bytes that separate a chain's hashes, and the numbers of its checks (sections 3.4.4 and 4.1.4)."""

    code: int
    device: int
    closing: int
    checks: str


ORDINARY = Uses(0x29, 0x2A, 0x2B, "8.C 8.D 8.E 8.F 8.G")
PRE_ENCRYPTED = Uses(0x42, 0x43, 0x44, "16.D 16.E 16.F 16.G 16.H")


@dataclass
class Bundle:
    """What is kept of a bundle that was read."""

    station: str = ""
    name: bytes = b""
    """SHA-256 of its bytes."""
    pre_encrypted: bool = False
    kept: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    """Ballots that a tally record may open, by confirmation code: all challenged ones, and those asked for."""
    products: dict[int, list[tuple[mpz, mpz]]] = field(default_factory=dict)
    """(A, B) of every field, by contest (equation 79)."""
    cast: Counter[int] = field(default_factory=Counter)
    """Cast ballots that a contest stands on."""
    seen: set[int] = field(default_factory=set)
    """Contests that stand on at least one ballot."""
    statuses: Counter[str] = field(default_factory=Counter)


def check_bundle(lines: Iterable[bytes], keys: Keys, wanted: set[bytes], where: str, report: Report) -> Bundle:
    """Check a bundle line by line. `wanted` are confirmation codes of cast ballots whose contest data were decrypted."""
    bundle, digest = Bundle(), hashlib.sha256()
    header: dict[str, Any] | None = None
    closing: dict[str, Any] | None = None
    last = b""
    for at, line in enumerate(lines, start=1):
        place = f"{where}, line {at}"
        digest.update(line)
        try:
            value = read_line(line)
        except FormatError as error:
            report.add("R.2", place, str(error))
            continue
        kind = value["kind"]
        expected = "pre-encrypted-ballot" if bundle.pre_encrypted else "ballot"
        is_header = kind in ("header", "pre-encrypted-header")
        if closing is not None or is_header != (at == 1) or (not is_header and kind not in (expected, "closing")):
            report.add("R.3", place, f"a {kind} does not belong here")
        elif is_header:
            header, last, bundle.pre_encrypted = value, value["opening"], kind != "header"
            _check_header(value, bundle, keys, where, report)
        elif kind == "closing":
            closing = value
            _check_closing(value, bundle, keys, place, report)
            if header is not None:
                _check_end(value, header, last, _uses(bundle), keys, place, report)
        else:
            if header is not None:
                _check_link(value, header, last, _uses(bundle), place, report)
            last = value["code"]
            _check_one(value, bundle, wanted, keys, f"{place}, ballot {value['code'].hex()[:8]}", report)
    report.require(
        header is not None and closing is not None, "R.3", where, "a bundle begins with a header and ends with a closing"
    )
    bundle.name = digest.digest()
    return bundle


def is_station(name: str) -> bool:
    """Whether a text can be the id of a station."""
    try:
        return bool(ident(name))
    except FormatError:
        return False


def _uses(bundle: Bundle) -> Uses:
    return PRE_ENCRYPTED if bundle.pre_encrypted else ORDINARY


def _check_header(header: dict[str, Any], bundle: Bundle, keys: Keys, where: str, report: Report) -> None:
    uses = _uses(bundle)
    device, unchained, _, start, _ = uses.checks.split()
    bundle.station = header["station"]
    own_names = is_station(header["station"]) and 1 <= len(header["device"]) <= 1024 and header["device"].isprintable()
    sound = own_names and header["format"] == FORMAT and header["keys"] == keys.extended
    report.require(sound, "R.4", where, "it belongs to other keys, or names no station and device")
    own = H(keys.extended, uses.device, sized(header["device"].encode()))
    report.require(own == header["device_hash"], device, where, "the device information hash")
    if header["chain"][:4] == NONE:
        report.add("R.11", where, "the device did not chain its ballots")
        report.require(header["chain"] == NONE + header["device_hash"], unchained, where, "B_C,0")
    else:
        report.require(header["chain"] == SIMPLE + header["device_hash"], start, where, "B_C,0")
    report.require(header["opening"] == H(keys.extended, uses.code, header["chain"]), start, where, "H_0")
    same = (header["device_hash"], "pre-encrypted" if bundle.pre_encrypted else "")
    report.require(same not in keys.devices, "R.12", where, f"the device has a bundle already: {keys.devices.get(same)}")
    keys.devices[same] = where


def _check_link(ballot: dict[str, Any], header: dict[str, Any], last: bytes, uses: Uses, where: str, report: Report) -> None:
    _, unchained, link, _, _ = uses.checks.split()
    if header["chain"][:4] == NONE:
        report.require(ballot["chain"] == header["chain"], unchained, where, "the chaining field is not that of the device")
    else:
        report.require(ballot["chain"] == SIMPLE + last, link, where, "it is not chained to the ballot before it")


def _check_end(
    closing: dict[str, Any], header: dict[str, Any], last: bytes, uses: Uses, keys: Keys, where: str, report: Report
) -> None:
    """Equations 77 and 78; 118 and 120."""
    chain = SIMPLE + H(keys.extended, uses.closing, last, header["chain"])
    holds = closing["chain"] == chain and closing["closing"] == H(keys.extended, uses.code, chain)
    report.require(holds, uses.checks.split()[4], where, "the closing hash")


def _check_one(ballot: dict[str, Any], bundle: Bundle, wanted: set[bytes], keys: Keys, where: str, report: Report) -> None:
    """One ballot, and what it adds to the aggregates; a ballot without its form adds nothing."""
    bundle.statuses[ballot["status"]] += 1
    report.require(ballot["identifier"] not in keys.identifiers, "5.A", where, "its identifier stands on another ballot")
    keys.identifiers.add(ballot["identifier"])
    if not (has_pre_encrypted_form if bundle.pre_encrypted else has_form)(ballot, keys, where, report):
        return
    (check_pre_encrypted if bundle.pre_encrypted else check_ballot)(ballot, keys, where, report)
    bundle.seen |= {contest["contest"] for contest in ballot["contests"]}
    if ballot["status"] == "challenged" or ballot["code"] in wanted:
        report.require(ballot["code"] not in bundle.kept, "R.10", where, "two ballots have its confirmation code")
        bundle.kept[ballot["code"]] = ballot
    if ballot["status"] == "cast":
        for contest in ballot["contests"]:
            index = contest["contest"]
            bundle.cast[index] += 1
            own = [(number(part["alpha"]), number(part["beta"])) for part in contest["selections"]]
            before = bundle.products.get(index, [(mpz(1), mpz(1))] * len(own))
            times = keys.group.times
            bundle.products[index] = [(times(a, c), times(b, d)) for (a, b), (c, d) in zip(before, own, strict=True)]


def _check_closing(closing: dict[str, Any], bundle: Bundle, keys: Keys, where: str, report: Report) -> None:
    """Verification 9, and R.7."""
    uncast = bundle.statuses["challenged"] + bundle.statuses["uncast"]  # a pre-encrypted ballot that is not cast is opened
    own = {"cast": bundle.statuses["cast"], "challenged": uncast}
    own |= {key: bundle.statuses[key] for key in ("spoiled", "provisional")}
    for key, value in own.items():
        report.require(closing[key] == value, "R.7", where, f"it counts {closing[key]} ballots as {key}, and there are {value}")
    stated = [total["contest"] for total in closing["totals"]]
    sound = stated == sorted(set(stated)) and all(keys.contest(index) for index in stated) and bundle.seen <= set(stated)
    report.require(sound, "R.7", where, "its encrypted totals are not those of the contests of its ballots, in order")
    for total in closing["totals"]:
        contest = keys.contest(total["contest"])
        if contest is None:
            continue
        products = bundle.products.setdefault(total["contest"], [(mpz(1), mpz(1))] * len(contest.labels))
        if not report.require(
            len(total["fields"]) == len(products), "R.7", where, f"{contest.label}: not one total for each field"
        ):
            continue
        for label, given, (a, b) in zip(contest.labels, total["fields"], products, strict=True):
            place = f"{where}, contest {contest.label}, {label}"
            report.require(given["alpha"] == keys.group.element(a), "9.A", place, "A is not the product of the cast ballots")
            report.require(given["beta"] == keys.group.element(b), "9.B", place, "B is not the product of the cast ballots")
