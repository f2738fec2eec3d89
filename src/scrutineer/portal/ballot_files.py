"""The files of encrypted ballots on a site: bundles, what was decrypted, what they are in short, and where each code is found.

`ballots/codes/` is an index of all ballots by their confirmation code, cut into files by the first hexadecimal digits, so that a
voter's browser fetches one small file to find her ballot and tells nobody which one it looked for but by those digits. There are
as many digits as keep a file at about 64 KB: one for a city, four for twenty million ballots.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.ballots.confirmation import TRACKING_SIZE
from scrutineer.errors import PublicationError
from scrutineer.pieces import hashed
from scrutineer.portal.ballot_record import (
    FOLDER,
    STATUSES,
    BallotFile,
    Ballots,
    StationBallots,
    bundle_path,
    tally_path,
)
from scrutineer.portal.formats import SiteFile, write_json

FORMAT: Final = "scrutineer-ballot-index/v1"
INDEX_FILE: Final = f"{FOLDER}/index.json"
CODES: Final = f"{FOLDER}/codes"
MOST_IN_FILE: Final = 1_300
"""Codes in a file of the index on average, at most: about 64 KB."""
MOST_DIGITS: Final = 6


def digits_for(ballots: int) -> int:
    """By how many first hexadecimal digits of the code an index of so many ballots is cut into files; at least one."""
    digits = 1
    while digits < MOST_DIGITS and ballots > MOST_IN_FILE * 16**digits:
        digits += 1
    return digits


def codes_path(prefix: str) -> str:
    """The file of the index with the codes that begin with these hexadecimal digits."""
    return f"{CODES}/{prefix}.json"


def summary_path(station: str) -> str:
    """Where it says in short what a station's bundle holds."""
    return f"{FOLDER}/{station}.json"


def ballot_files(ballots: Ballots, page_of: Callable[[int], str | None]) -> Iterator[SiteFile]:
    """All files of encrypted ballots; none where there are no ballots. `page_of` gives the page of a station by its number."""
    if not ballots:
        return
    for number, own in ballots.items():
        yield SiteFile(bundle_path(own.station), Checked(bundle_path(own.station), own.bundle), digest=own.bundle.digest)
        if own.tally is not None:
            yield SiteFile(tally_path(own.station), Checked(tally_path(own.station), own.tally), digest=own.tally.digest)
        yield SiteFile(summary_path(own.station), (summary(own, page_of(number)),))
    yield from _index(ballots)


def summary(own: StationBallots, page: str | None) -> bytes:
    """What a station's bundle holds, what names it, and where the station's page is."""
    tally = own.tally
    return write_json(
        {
            "station": own.station,
            "page": page,
            "bundle": {"path": bundle_path(own.station), "sha256": own.bundle.digest.hex(), "size": own.bundle.size},
            "tally": None
            if tally is None
            else {"path": tally_path(own.station), "sha256": tally.digest.hex(), "size": tally.size},
            "ballots": dict(own.counts),
            "device": own.device,
            "closing": own.closing,
            "sheets": [{"contest": sheet.contest, "entry": sheet.entry} for sheet in own.named_by],
        }
    )


def _index(ballots: Ballots) -> Iterator[SiteFile]:
    stations = [own.station for own in ballots.values()]
    total = sum(own.ballots for own in ballots.values())
    digits = digits_for(total)
    counts = {name: sum(own.counts[name] for own in ballots.values()) for name in STATUSES}
    yield SiteFile(
        INDEX_FILE,
        (write_json({"format": FORMAT, "digits": digits, "stations": len(stations), "ballots": total, "counts": counts}),),
    )
    every = [np.frombuffer(own.codes, np.uint8).reshape(-1, TRACKING_SIZE) for own in ballots.values()]
    status = [np.frombuffer(own.status, np.uint8) for own in ballots.values()]
    # A sixteenth of the codes is sorted at a time, so that the index of a nation needs little more memory than its codes.
    for digit in range(16):
        yield from _index_of(digit, digits, stations, every, status)


def _index_of(
    digit: int, digits: int, stations: list[str], every: Sequence[NDArray[np.uint8]], status: Sequence[NDArray[np.uint8]]
) -> Iterator[SiteFile]:
    """The files of the codes whose first hexadecimal digit is this one."""
    rows = [np.flatnonzero(own[:, 0] >> 4 == digit) for own in every]
    codes = np.concatenate([own[chosen] for own, chosen in zip(every, rows, strict=True)])
    kinds = np.concatenate([own[chosen] for own, chosen in zip(status, rows, strict=True)])
    number = np.concatenate(rows) + 1
    station = np.repeat(np.arange(len(stations)), [len(chosen) for chosen in rows])
    first, rest = codes[:, :8].copy().view(">u8")[:, 0], codes[:, 8:].copy().view(">u4")[:, 0]
    # Equal codes, which only a false record has, stay in the order of stations and bundles.
    order = np.lexsort((rest, first))
    prefixes = (first[order] >> np.uint64(64 - 4 * digits)).astype(np.int64)
    for start, stop in _runs(prefixes):
        prefix = f"{int(prefixes[start]):0{digits}x}"
        own = order[start:stop]
        listed = _codes(prefix, stations, codes[own], station[own].tolist(), number[own].tolist(), kinds[own].tolist())
        yield SiteFile(codes_path(prefix), (listed,))


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Stretches of equal values."""
    starts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from ((start, stop) for start, stop in pairwise(starts) if start < stop)


def _codes(
    prefix: str, stations: list[str], codes: NDArray[np.uint8], station: list[int], number: list[int], status: list[int]
) -> bytes:
    """One file of the index: each ballot's first 24 digits of the code, station, place in the bundle from 1, and status.

    Stations and statuses stand as places in the lists that the file begins with.
    """
    own = {at: place for place, at in enumerate(sorted(set(station)))}
    texts = codes.tobytes().hex()
    width = 2 * TRACKING_SIZE
    rows = ",\n".join(
        f'["{texts[width * row : width * (row + 1)]}",{own[at]},{place},{kind}]'
        for row, (at, place, kind) in enumerate(zip(station, number, status, strict=True))
    )
    names = json.dumps([stations[at] for at in own])
    head = f'{{"format":"{FORMAT}","prefix":"{prefix}","statuses":{json.dumps(STATUSES)},\n"stations":{names},\n"ballots":[\n'
    return f"{head}{rows}\n]}}\n".encode()


class Checked:
    """The bytes of a file of ballots, in pieces, which must have the hash that they were published under."""

    def __init__(self, path: str, file: BallotFile) -> None:
        self._path = path
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        yield from hashed(self._file.pieces(), digest)
        if digest.digest() != self._file.digest:
            raise PublicationError(f"{self._path} changed while it was read: wait until it is whole, and publish again")
