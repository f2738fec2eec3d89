"""Whether decrypted totals are right, and of the right contests and options: verifications 9 to 11, and the exactness of totals.

ElectionGuard Design Specification 2.1.0, section 6.2.5.
"""

from collections.abc import Collection, Mapping
from typing import Final

import gmpy2
import msgspec
from gmpy2 import mpz

from scrutineer.ballots.bundle import Aggregates
from scrutineer.ballots.failures import CheckFailure, shown
from scrutineer.ballots.group import SCALAR_SIZE
from scrutineer.ballots.hashing import Use, challenge, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT, ManifestContest
from scrutineer.ballots.record import Aggregate, BundleClosing, ContestTotals, FieldTotal, TallyRecord
from scrutineer.errors import BallotError

MAX_TALLY_SIZE: Final = 32 * 1024 * 1024  # bytes

Totals = dict[str, dict[str, int]]
"""Decrypted totals: contest label, then field label."""


def read_tally(data: bytes) -> TallyRecord:
    """Read a record of decrypted totals. Raises BallotError unless it is one in its only form (R.8)."""
    if len(data) > MAX_TALLY_SIZE:
        raise BallotError(f"the decrypted totals have more than {MAX_TALLY_SIZE} bytes")
    try:
        tally = msgspec.json.decode(data, type=TallyRecord)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BallotError(f"not a record of decrypted totals: {shown(error)}") from error
    if tally.encode() != data:
        raise BallotError("the decrypted totals are not in their only form (JSON with sorted keys, without spaces)")
    if tally.format != FORMAT:
        raise BallotError(f"the decrypted totals have the format {tally.format[:40]!r}: this program reads {FORMAT}")
    return tally


def check_closing(
    closing: BundleClosing, aggregates: Aggregates, voted: Collection[int], keys: ElectionKeys, where: str
) -> list[CheckFailure]:
    """Verification 9: a closing's encrypted totals are the products of the cast ballots; R.7: it has those of all contests.

    `voted` holds the numbers of the contests that stand on at least one ballot of the bundle.
    """
    failures = []
    numbers = [total.contest for total in closing.totals]
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > len(keys.manifest.contests)):
        failures.append(
            CheckFailure("R.7", where, "the encrypted totals are not those of contests of the manifest, in its order")
        )
    for number in sorted(set(voted) - set(numbers)):
        label = keys.manifest.contest(number).label
        failures.append(CheckFailure("R.7", where, f"contest {label} stands on ballots and has no encrypted totals"))
    for total in closing.totals:
        if not 1 <= total.contest <= len(keys.manifest.contests):
            continue
        contest = keys.manifest.contest(total.contest)
        own = aggregates.of(total.contest).fields
        if len(own) != len(total.fields):
            failures.append(
                CheckFailure("R.7", f"{where}, contest {contest.label}", f"there are not {len(own)} encrypted totals")
            )
            continue
        for label, given, right in zip(contest.labels(), total.fields, own, strict=True):
            place = f"{where}, contest {contest.label}, {label}"
            if given.alpha != right.alpha:
                failures.append(CheckFailure("9.A", place, "the encrypted total is not the product of the cast ballots"))
            if given.beta != right.beta:
                failures.append(CheckFailure("9.B", place, "the encrypted total is not the product of the cast ballots"))
    return failures


def check_tally(
    tally: TallyRecord, aggregates: Aggregates, contests: Collection[int], voted: Collection[int], keys: ElectionKeys, where: str
) -> list[CheckFailure]:
    """Verifications 10 and 11 of decrypted totals against the products of the cast ballots, and R.8: the order of the manifest.

    `contests` are those of the bundle's closing, `voted` those that stand on at least one of its ballots.
    """
    manifest = keys.manifest
    failures: list[CheckFailure] = []
    numbers = {contest.label: number for number, contest in enumerate(manifest.contests, 1)}
    given = [contest.label for contest in tally.contests]
    known = [numbers[label] for label in given if label in numbers]
    if known != sorted(set(known)):
        failures.append(CheckFailure("R.8", where, "the contests are not in the order of the manifest, each once"))
    failures += [
        CheckFailure("11.A", where, f"contest {label[:80]!r} is not in the manifest") for label in given if label not in numbers
    ]
    failures += [
        CheckFailure("11.D", where, f"contest {manifest.contest(number).label} stands on ballots and has no totals")
        for number in sorted(set(voted) - set(known))
    ]
    failures += [
        CheckFailure("R.8", where, f"contest {manifest.contest(number).label} of the bundle has no totals")
        for number in sorted(set(contests) - set(known) - set(voted))
        if number <= len(manifest.contests)
    ]
    for totals in tally.contests:
        if totals.label in numbers:
            number = numbers[totals.label]
            failures += _check_contest(totals, number, manifest.contest(number), aggregates.of(number).fields, keys, where)
    return failures


def _check_contest(
    totals: ContestTotals, number: int, contest: ManifestContest, encrypted: tuple[Aggregate, ...], keys: ElectionKeys, where: str
) -> list[CheckFailure]:
    places = {label: place for place, label in enumerate(contest.labels(), 1)}
    given = [field.label for field in totals.fields]
    where = f"{where}, contest {contest.label}"
    failures = [
        CheckFailure("11.B", where, f"{label[:80]!r} is no option or field of this contest")
        for label in sorted(set(given) - set(places))
    ]
    failures += [CheckFailure("11.C", where, f"{label} has no decrypted total") for label in places if label not in given]
    known = [places[label] for label in given if label in places]
    if known != sorted(set(known)):
        failures.append(CheckFailure("R.8", where, "the totals are not in the order of the manifest, each once"))
    for field in totals.fields:
        if field.label in places:
            place = places[field.label]
            failures += _check_total(field, number, place, encrypted[place - 1], keys, f"{where}, {field.label}")
    return failures


def _check_total(
    field: FieldTotal, contest: int, place: int, encrypted: Aggregate, keys: ElectionKeys, where: str
) -> list[CheckFailure]:
    """Verification 10 of one total."""
    group = keys.group
    if len(field.proof) != 2 * SCALAR_SIZE or len(field.value) != group.element_size:
        return [CheckFailure("R.8", where, "a value or proof has not the right length")]
    failures = []
    given, response = group.scalar(field.proof[:SCALAR_SIZE]), group.scalar(field.proof[SCALAR_SIZE:])
    value = group.element(field.value)
    if not group.is_scalar(response):
        failures.append(CheckFailure("10.A", where, "the response of the proof is not below q"))
    if value != group.power(keys.vote_key, mpz(field.total)):
        failures.append(CheckFailure("10.C", where, f"the decrypted value does not stand for {field.total}"))
    if not 0 < value < group.p or gmpy2.gcd(value, group.p) != 1:
        return [*failures, CheckFailure("10.B", where, "the decrypted value is no number that the proof could be about")]
    first, second = group.element(encrypted.alpha), group.element(encrypted.beta)
    blinding = second * gmpy2.invert(value, group.p) % group.p
    a = group.powers(((group.g, response), (keys.vote_key, given)))
    b = group.powers(((first, response), (blinding, given)))
    parts = (encrypted.alpha, encrypted.beta, *(group.element_bytes(element) for element in (a, b, blinding)))
    if given != challenge(group, keys.extended_hash, Use.DECRYPTION_PROOF, small(contest), small(place), *parts):
        failures.append(CheckFailure("10.B", where, "the proof does not show that this is what the encrypted total holds"))
    return failures


def totals_of(tally: TallyRecord) -> Totals:
    """The totals of a tally record by contest and label."""
    return {contest.label: {field.label: field.total for field in contest.fields} for contest in tally.contests}


def is_exact(contest: ManifestContest) -> bool:
    """Whether every honest ballot of a contest adds up to L: it counts blank, null and, where L > 1, unused votes."""
    needed = {"blank", "null"} | ({"undervotes"} if contest.selection_limit > 1 else set())
    return needed <= set(contest.fields)


def check_exactness(totals: Totals, cast: Mapping[int, int], keys: ElectionKeys, where: str) -> list[CheckFailure]:
    """R.9: in contests that count blank, null and unused votes, the weighted totals are exactly L times the ballots cast.

    No ballot can hold more than L (verification 7), so that equality for all of them shows it for every single one: no ballot
    holds less than it says. `cast` is the number of cast ballots with a contest, by its number.
    """
    failures = []
    for number, contest in enumerate(keys.manifest.contests, 1):
        given = totals.get(contest.label)
        if given is None or not is_exact(contest):
            continue
        whole = sum(weight * given.get(label, 0) for label, weight in zip(contest.labels(), contest.weights(), strict=True))
        right = contest.selection_limit * cast.get(number, 0)
        if whole != right:
            failures.append(
                CheckFailure(
                    "R.9", f"{where}, contest {contest.label}", f"all votes add up to {whole:,}; the ballots cast have {right:,}"
                )
            )
    return failures
