"""What guardians are asked to decrypt of one bundle, taken from the bundle itself."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from scrutineer.ballots.bundle import Header, check_names, read_bundle
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.opened_check import check_opened
from scrutineer.ballots.record import Ballot, BundleClosing, ContestAggregate, OpenedBallot, Sealed
from scrutineer.errors import BallotError
from scrutineer.pieces import hashed


class TallyRequest(NamedTuple):
    """What is to be decrypted of one bundle. Only of a bundle that passed verifications 4 to 9 (section 3.6.1)."""

    bundle: bytes
    """SHA-256 of the bundle."""
    station: str
    device: str
    cast: int
    totals: tuple[ContestAggregate, ...]
    challenged: tuple[Ballot, ...] = ()
    """Challenged ballots that are to be opened by their encrypted nonces, in the order of the bundle."""
    data: tuple[tuple[Ballot, int], ...] = ()
    """Contest data of cast ballots that are to be decrypted: the ballot and the contest's number."""


def request_of(keys: ElectionKeys, lines: Iterable[bytes], name: str, data: Collection[tuple[bytes, int]] = ()) -> TallyRequest:
    """The totals and challenged ballots of a bundle, given as lines with their line feeds, in one pass.

    `data` names contest data that are to be decrypted as well: confirmation codes of cast ballots, and contests' numbers.
    Raises BallotError for a bundle that is cut off, malformed, or of another election. The verifications are for the caller.
    """
    sha256 = hashlib.sha256()
    header: Header | None = None
    closing: BundleClosing | None = None
    challenged, chosen = [], []
    wanted = set(data)
    for item in read_bundle(hashed(lines, sha256), name):
        if item.failure is not None:
            failure = item.failure
            raise BallotError(f"{failure.where}: {failure.message} (check {failure.check}); fetch the bundle again")
        if isinstance(item.value, Header):
            header = item.value
            if header.keys != keys.extended_hash:
                raise BallotError(f"{name} is a bundle of another election, or made under other keys: leave it out")
            try:
                check_names(header.station, header.device)
            except BallotError as error:
                raise BallotError(f"{name}: {error}") from error
        elif isinstance(item.value, BundleClosing):
            closing = item.value
        elif isinstance(item.value, Ballot):
            if item.value.status == "challenged":
                challenged.append(item.value)
            elif item.value.status == "cast" and wanted:
                numbers = sorted(contest for code, contest in wanted if code == item.value.code)
                chosen += [(item.value, number) for number in numbers]
    if header is None or closing is None:
        raise BallotError(f"{name} is no bundle of ballots that this step can decrypt")
    return TallyRequest(
        sha256.digest(), header.station, header.device, closing.cast, closing.totals, tuple(challenged), tuple(chosen)
    )


def without_opened(keys: ElectionKeys, request: TallyRequest, opened: Sequence[OpenedBallot]) -> TallyRequest:
    """The request without the challenged ballots that the device opened itself, after checking what it showed.

    Raises BallotError for an opening that does not fit its ballot or belongs to none.
    """
    ballots = {ballot.code: ballot for ballot in request.challenged}
    done: set[bytes] = set()
    for each in opened:
        where = f"ballot {each.code.hex()[:8]}…"
        if each.code not in ballots or each.code in done:
            raise BallotError(f"{where} was opened, but it is no challenged ballot of this bundle, or was opened twice")
        failures = check_opened(each, ballots[each.code], keys, where)
        if failures:
            raise BallotError(f"{failures[0].where}: {failures[0].message} (check {failures[0].check}); leave this opening out")
        done.add(each.code)
    return request._replace(challenged=tuple(ballot for ballot in request.challenged if ballot.code not in done))


def sealed_data(ballot: Ballot, number: int) -> Sealed:
    """The contest data of a ballot. Raises BallotError where it has none."""
    for contest in ballot.contests:
        if contest.contest == number and contest.data is not None:
            return contest.data
    raise BallotError(f"ballot {ballot.code.hex()[:8]}… has no contest data in contest {number}")
