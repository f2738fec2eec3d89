"""The manifest of encrypted ballots, derived from the contests and units of the election.

A pure function, so that anyone who has the definition makes the same manifest to the byte. The trustees run it before the key
ceremony; verifiers run it again and compare.
"""

from collections.abc import Sequence
from itertools import permutations
from math import perm
from typing import Final

from scrutineer.ballots.manifest import (
    BLOCK_SIZE,
    FIELD_MARK,
    FORMAT,
    MAX_FIELDS,
    MAX_LIMIT,
    MAX_LINES,
    MAX_NAME,
    ORDER_MARK,
    Field,
    Manifest,
    ManifestContest,
    Style,
)
from scrutineer.ballots.manifest import Party as ManifestParty
from scrutineer.election.contests import Contest
from scrutineer.election.parties import Party
from scrutineer.election.units import Units
from scrutineer.errors import BallotError

WRITE_INS: Final = f"{FIELD_MARK}write-ins"


def manifest_of(
    election_id: str, name: str, date: str, contests: Sequence[Contest], units: Units, parties: Sequence[Party] = ()
) -> Manifest:
    """The manifest of an election: its contests in their order, and a ballot style for each set of contests that stations share.

    Styles stand in the order of the first station that votes so, labelled `style-1` and up; `style_of` finds a station's own.
    The option of a contest that stands for names written in becomes the field `write-ins` (`total_labels`).
    Raises BallotError for a contest that cannot be voted on encrypted ballots, and for an election where no station votes.
    """
    encrypted = tuple(_contest(contest) for contest in contests)
    sets = dict.fromkeys(numbers for _, numbers in _runs(units, contests) if numbers)
    styles = tuple(Style(f"style-{number}", numbers) for number, numbers in enumerate(sets, 1))
    return Manifest(election_id, name, date, encrypted, styles, FORMAT, _parties(parties, encrypted))


def total_labels(contest: Contest) -> tuple[str, ...]:
    """For each option of a contest that is not ranked, the label under which encrypted ballots hold its total."""
    return tuple(WRITE_INS if option.id == contest.write_in else option.id for option in contest.options)


def style_of(manifest: Manifest, units: Units, contests: Sequence[Contest], station: int) -> int:
    """The number of the ballot style of a station, given by its number. Raises BallotError where it votes in no contest."""
    own = contests_of(units, contests, station)
    for number, style in enumerate(manifest.styles, 1):
        if style.contests == own:
            return number
    where = units.ids[int(units.station_units[station])]
    raise BallotError(
        f"the manifest has no ballot style for station {where}: it votes in {len(own)} contests; "
        "make the manifest from the same definition"
    )


def contests_of(units: Units, contests: Sequence[Contest], station: int) -> tuple[int, ...]:
    """The numbers (from 1) of the contests that a station votes in, ascending."""
    return tuple(number for number, below in enumerate(_stations(units, contests), 1) if station in below)


def _stations(units: Units, contests: Sequence[Contest]) -> list[range]:
    return [units.stations_below(units.position(contest.unit) if contest.unit else 0) for contest in contests]


def _runs(units: Units, contests: Sequence[Contest]) -> list[tuple[int, tuple[int, ...]]]:
    """Runs of neighbouring stations with the same contests: the first station of each run, and the contests' numbers."""
    below = _stations(units, contests)
    # Contests change only where the stations of one begin or end, which are few places even among a million stations.
    starts = sorted({0} | {edge for own in below for edge in (own.start, own.stop) if edge < units.station_count})
    return [(start, tuple(number for number, own in enumerate(below, 1) if start in own)) for start in starts]


def _contest(contest: Contest) -> ManifestContest:
    where = f"contest {contest.id}"
    labels = tuple(option.id for option in contest.options if option.id != contest.write_in)
    if not labels:
        raise BallotError(f"{where} has no option but the names written in: encrypted ballots need one more; vote on it on paper")
    if contest.rule == "ranked":
        count = sum(perm(len(labels), length) for length in range(1, len(labels) + 1))
        fields: tuple[Field, ...] = ("blank", "null")
        if count + len(fields) > MAX_FIELDS:
            raise BallotError(
                f"{where} is ranked and has {len(labels)} options, which can be ranked in {count:,} ways: encrypted ballots "
                f"hold at most {MAX_FIELDS - len(fields)}, which is 5 options; vote on it on paper"
            )
        orders = (order for length in range(1, len(labels) + 1) for order in permutations(labels, length))
        return ManifestContest(contest.id, tuple(map(ORDER_MARK.join, orders)), 1, 1, fields, 0, orders=True)
    limit = contest.choices_allowed()
    if limit > MAX_LIMIT:
        raise BallotError(f"{where} allows {limit} choices: encrypted ballots allow at most {MAX_LIMIT}; vote on it on paper")
    fields = ("blank", "null", "undervotes") if limit > 1 else ("blank", "null")
    if contest.write_in:
        fields += ("write-ins",)
    if len(labels) + len(fields) > MAX_FIELDS:
        raise BallotError(
            f"{where} has {len(labels)} options: with its {len(fields)} supplemental fields that is more than the {MAX_FIELDS} "
            "that encrypted ballots hold; vote on it on paper"
        )
    return ManifestContest(contest.id, labels, limit, 1, fields, _data_blocks(len(labels), limit) if contest.write_in else 0)


def _data_blocks(options: int, limit: int) -> int:
    """Blocks that hold as many and as long names as can be written in, and beside them a mark of one bit for each option."""
    size = 2 + (options + 7) // 8 + min(limit, MAX_LINES) * (1 + MAX_NAME)
    return -(-size // BLOCK_SIZE)


def _parties(parties: Sequence[Party], contests: Sequence[ManifestContest]) -> tuple[ManifestParty, ...]:
    numbers = {
        (contest.label, option): (number, place)
        for number, contest in enumerate(contests, 1)
        for place, option in enumerate(contest.options, 1)
    }
    return tuple(ManifestParty(party.id, party.name, tuple(sorted(numbers[pair] for pair in party.pairs()))) for party in parties)
