"""What the steps of a decryption are given: bundles, openings, and the files that other trustees' machines wrote."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from scrutineer.ballots.ceremony import GuardianError
from scrutineer.ballots.decryption import Reveal
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import OpenedBallot
from scrutineer.ballots.record_check import GivenBundle, RecordCheck, Source, report_of
from scrutineer.ballots.rounds import (
    BundleLine,
    CommitLine,
    RespondLine,
    RevealLine,
    RoundReader,
    Scanned,
    scan_round,
    side_by_side,
)
from scrutineer.ballots.tally_request import TallyRequest, request_of, without_opened
from scrutineer.ballots.tallying import BundleCommitment
from scrutineer.cli import trustee_folder
from scrutineer.cli.show import Progress
from scrutineer.cli.trustee_folder import chunks_of, lines_of
from scrutineer.errors import BallotError, UsageError
from scrutineer.pieces import sha256_of
from scrutineer.verify.ballots import FileSpill

ROUND_FILES: Final = "*.jsonl"

Verify = Callable[[bytes, Mapping[bytes, Path], Progress], None]
"""Checks bundles before anything of them is decrypted (section 3.6.1). Raises BallotError with the number of what fails."""


def verify_bundles(key_file: bytes, bundles: Mapping[bytes, Path], progress: Progress) -> None:
    """Verifications 1 to 9 of all bundles together. Raises BallotError with what failed first."""
    total = sum(path.stat().st_size for path in bundles.values())
    seen: dict[Path, int] = {}

    def pieces(path: Path) -> Callable[[], Iterator[bytes]]:
        def read() -> Iterator[bytes]:
            done = 0
            for chunk in chunks_of(path):
                done += len(chunk)
                seen[path] = max(done, seen.get(path, 0))
                progress("Verifying bundles (bytes)", sum(seen.values()), total)
                yield chunk

        return read

    # The hashes are those of what is decrypted: a stick that gives other bytes to each reading gains nothing.
    given = [GivenBundle(Source(str(path), pieces(path)), None, digest) for digest, path in bundles.items()]
    with FileSpill() as spill:
        check = RecordCheck(key_file, spill=spill, group=trustee_folder.group)
        results = list(check.bundles(given))
        check.finish()
    report = report_of(check, results)
    if not report.passed:
        first = report.failures[0]
        more = f" ({report.failed - 1:,} more)" if report.failed > 1 else ""
        raise BallotError(
            f"nothing is decrypted, because a bundle does not hold: {first.where}: {first.message} (check {first.check}){more}; "
            "leave it out, or fetch it again"
        )


def by_hash(paths: Iterable[Path], progress: Progress) -> dict[bytes, Path]:
    """Files by the SHA-256 of their bytes, ascending; the same file given twice counts once. Raises UsageError."""
    given = list(paths)
    found: dict[bytes, Path] = {}
    for number, path in enumerate(given, 1):
        found.setdefault(sha256_of(chunks_of(path)), path)
        progress("Reading bundles", number, len(given))
    return dict(sorted(found.items()))


def bundle_paths(paths: Iterable[Path]) -> list[Path]:
    """Bundles, from named files and from folders that hold nothing else. Raises UsageError where there is none."""
    found = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else (path,)) if file.is_file()]
    if not found:
        raise UsageError("no bundle was found: name the stations' bundles, or a folder that holds them")
    return found


def chosen_data(texts: Iterable[str], keys: ElectionKeys) -> set[tuple[bytes, int]]:
    """The contest data that `--data CODE:CONTEST` names. Raises UsageError."""
    labels = {contest.label: number for number, contest in enumerate(keys.manifest.contests, 1)}
    found = set()
    for text in texts:
        code, _, label = text.partition(":")
        try:
            bare = bytes.fromhex(code)
        except ValueError:
            bare = b""
        if len(bare) != 32 or label not in labels:
            raise UsageError(f"--data {text!r} is not a confirmation code of 64 digits and a contest, such as 1f3a…:council")
        found.add((bare, labels[label]))
    return found


def read_openings(paths: Iterable[Path]) -> list[OpenedBallot]:
    """Challenged ballots that devices opened themselves: files with one of them on each line. Raises BallotError."""
    decoder = msgspec.json.Decoder(OpenedBallot)
    found = []
    for path in paths:
        for number, line in enumerate(lines_of(path), 1):
            try:
                found.append(decoder.decode(line))
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                raise BallotError(
                    f"{path}, line {number}: not an opened ballot ({str(error)[:120]}); leave the file out"
                ) from error
    return found


def collect(
    keys: ElectionKeys,
    bundles: Mapping[bytes, Path],
    data: Collection[tuple[bytes, int]],
    openings: Sequence[OpenedBallot],
) -> Iterator[tuple[TallyRequest, list[OpenedBallot]]]:
    """What is to be decrypted of each bundle, ascending by hash, and the openings that belong to it.

    Raises BallotError for a bundle that cannot be decrypted, and for openings or data that belong to none.
    """
    left, unopened = set(data), {each.code for each in openings}
    for digest, path in bundles.items():
        request = request_of(keys, lines_of(path), str(path), data)
        if request.bundle != digest:
            raise BallotError(f"{path} changed while it was read: copy it to this machine first")
        codes = {ballot.code for ballot in request.challenged}
        own = [each for each in openings if each.code in codes]
        left -= {(ballot.code, number) for ballot, number in request.data}
        unopened -= codes
        yield without_opened(keys, request, own), own
    if unopened:
        raise BallotError(
            f"an opening belongs to no challenged ballot of these bundles ({min(unopened).hex()[:8]}…): leave it out"
        )
    if left:
        raise BallotError(f"--data names {min(left)[0].hex()[:8]}…, which is the code of no cast ballot in these bundles")


def scan_files(paths: Iterable[Path], progress: Progress) -> dict[str, Scanned]:
    """All files of decryptions among these, each read from end to end. Raises UsageError and BallotError."""
    files = [file for path in paths for file in (sorted(path.glob(ROUND_FILES)) if path.is_dir() else (path,))]
    found = {}
    for number, file in enumerate(files, 1):
        found[str(file)] = scan_round(lines_of(file), str(file))
        progress("Reading trustees' files", number, len(files))
    if not found:
        raise UsageError(
            "no file of a decryption was found: they are named trustee-N.commit.jsonl, .reveal.jsonl and .respond.jsonl"
        )
    return found


def read_together(names: Mapping[int, str]) -> Iterator[dict[int, BundleLine]]:
    """All trustees' files of one step, bundle by bundle. Raises BallotError."""
    return side_by_side({own: RoundReader(lines_of(Path(name)), name) for own, name in names.items()})


def commitments_of(request: TallyRequest, lines: Mapping[int, BundleLine]) -> dict[int, BundleCommitment]:
    """The commitments to one request. Raises BallotError where they are of another bundle."""
    return {
        own: BundleCommitment(line.items, line.nonces)
        for own, line in _of(request, lines).items()
        if isinstance(line, CommitLine)
    }


def reveals_of(request: TallyRequest, lines: Mapping[int, BundleLine]) -> dict[int, tuple[Reveal, ...]]:
    """The reveals to one request. Raises BallotError where they are of another bundle."""
    return {own: line.items for own, line in _of(request, lines).items() if isinstance(line, RevealLine)}


def responses_of(request: TallyRequest, lines: Mapping[int, BundleLine]) -> dict[int, tuple[bytes, ...]]:
    """The responses to one request. Raises BallotError where they are of another bundle."""
    return {own: line.items for own, line in _of(request, lines).items() if isinstance(line, RespondLine)}


@contextlib.contextmanager
def naming_station(request: TallyRequest) -> Iterator[None]:
    """Say at which station something was wrong, and how to go on."""
    try:
        yield
    except GuardianError as error:
        raise BallotError(
            f"station {request.station}: {error}. Ask that trustee's machine for its files again; if they stay wrong, begin "
            "again with a new --attempt and without that trustee"
        ) from error


def _of(request: TallyRequest, lines: Mapping[int, BundleLine]) -> Mapping[int, BundleLine]:
    if any(line.bundle != request.bundle for line in lines.values()):
        raise BallotError("the trustees' files are of other bundles than those that are here: give the same bundles")
    return lines
