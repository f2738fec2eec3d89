"""The files that trustees carry between their machines for a decryption, read and written as streams.

A round file is a file of lines, each one JSON value in its only form: a header, one line for each bundle in ascending order of
the bundles' hashes, and an end with the SHA-256 of everything before it, so that a file that was cut off or changed on its way is
noticed. The files of all trustees for one decryption are read side by side, a bundle at a time.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from scrutineer.ballots.decryption import Commitment, Reveal
from scrutineer.ballots.keys import MAX_GUARDIANS
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.record import Ballot, ContestAggregate
from scrutineer.ballots.tally_request import TallyRequest
from scrutineer.ballots.tallying import NoncePart
from scrutineer.errors import BallotError

MAX_LINE_SIZE: Final = 256 * 1024 * 1024  # bytes; all totals and challenged ballots of one bundle
Step = Literal["commit", "reveal", "respond"]

_Index = Annotated[int, msgspec.Meta(ge=1, le=MAX_GUARDIANS)]
_Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class RoundHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tally-round", tag_field="kind"):
    """What a round file is of."""

    format: str
    keys: _Hash
    """H_E."""
    round: _Hash
    """The agreement of all: bundles, trustees, attempt."""
    attempt: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    step: Step
    guardian: _Index
    present: tuple[_Index, ...]
    """U: the trustees who decrypt."""
    bundles: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    seen: bytes = b""
    """Hash over the others' files that this step was made for; empty in the first."""


class CommitLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="commit", tag_field="kind"):
    """The first step for one bundle."""

    bundle: _Hash
    items: tuple[Commitment, ...]
    nonces: tuple[NoncePart, ...]


class RevealLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reveal", tag_field="kind"):
    """The second step for one bundle."""

    bundle: _Hash
    items: tuple[Reveal, ...]


class RespondLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="respond", tag_field="kind"):
    """The third step for one bundle."""

    bundle: _Hash
    items: tuple[bytes, ...]


class RoundEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end", tag_field="kind"):
    """The end of a round file."""

    sha256: _Hash


class RequestLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="request", tag_field="kind"):
    """What a trustee's machine keeps of a bundle for the later steps."""

    bundle: _Hash
    station: str
    device: str
    cast: int
    totals: tuple[ContestAggregate, ...]
    challenged: tuple[Ballot, ...]
    data: tuple[tuple[Ballot, int], ...]

    def request(self) -> TallyRequest:
        """As it is worked with."""
        return TallyRequest(self.bundle, self.station, self.device, self.cast, self.totals, self.challenged, self.data)


BundleLine = CommitLine | RevealLine | RespondLine
_Line = RoundHeader | CommitLine | RevealLine | RespondLine | RoundEnd

_LINES: Final = msgspec.json.Decoder(_Line)


class Scanned(NamedTuple):
    """A round file that was read once from end to end."""

    header: RoundHeader
    digest: bytes
    """SHA-256 of everything before its end."""


class RoundIdentity:
    """The agreement on one decryption: who decrypts what, in which attempt."""

    def __init__(self, keys: bytes, attempt: int, present: Sequence[int]) -> None:
        self._sha256: Final = hashlib.sha256(b"scrutineer tally round\n" + keys)
        self._sha256.update(msgspec.json.encode((attempt, tuple(present))))

    def add(self, request: TallyRequest) -> None:
        """Add a bundle; bundles ascend by their hashes."""
        codes = [ballot.code for ballot in request.challenged]
        data = [(ballot.code, number) for ballot, number in request.data]
        self._sha256.update(b"\n" + msgspec.json.encode((request.bundle, codes, data)))

    def digest(self) -> bytes:
        """The hash that all trustees must have in common."""
        return self._sha256.digest()


class RoundWriter:
    """Writes a round file: `line` for the header and each bundle in ascending order, then `end`."""

    def __init__(self) -> None:
        self._sha256: Final = hashlib.sha256()

    def line(self, value: RoundHeader | BundleLine) -> bytes:
        """The next line with its line feed."""
        data = _encode(value)
        self._sha256.update(data)
        return data

    def end(self) -> bytes:
        """The last line."""
        return _encode(RoundEnd(self._sha256.digest()))


def scan_round(lines: Iterable[bytes], name: str) -> Scanned:
    """Read a round file from end to end. Raises BallotError for one that is damaged, cut off or malformed."""
    reader = RoundReader(lines, name)
    for _ in reader:
        pass
    return Scanned(reader.header, reader.digest)


class RoundReader:
    """The lines of one round file, a bundle at a time."""

    def __init__(self, lines: Iterable[bytes], name: str) -> None:
        """Read the header. Raises BallotError."""
        self.name: Final = name
        self._lines: Final = iter(lines)
        self._sha256: Final = hashlib.sha256()
        self.digest = b""
        first = self._read()
        if not isinstance(first, RoundHeader):
            raise BallotError(f"{name} is no file of a decryption: it begins with something else than its header")
        if first.format != FORMAT:
            raise BallotError(f"{name} has the format {first.format[:40]!r}: this program reads {FORMAT}")
        if list(first.present) != sorted(set(first.present)) or first.guardian not in first.present:
            raise BallotError(f"{name} does not say properly which trustees decrypt: ask its trustee for it again")
        self.header: Final = first

    def __iter__(self) -> Iterator[BundleLine]:
        """The lines of all bundles; the end is checked after the last. Raises BallotError."""
        before = b""
        count = 0
        while not isinstance(line := self._read(), RoundEnd):
            if isinstance(line, RoundHeader) or line.__struct_config__.tag != self.header.step or line.bundle <= before:
                raise BallotError(f"{self.name} is malformed behind line {count + 1}: ask its trustee for it again")
            before = line.bundle
            count += 1
            yield line
        if count != self.header.bundles or line.sha256 != self.digest:
            raise BallotError(f"{self.name} was changed after it was written: copy it again from its trustee's machine")
        if next(self._lines, None) is not None:
            raise BallotError(f"something follows the end of {self.name}: copy it again from its trustee's machine")

    def _read(self) -> _Line:
        data = next(self._lines, b"")
        if data[-1:] != b"\n":
            raise BallotError(f"{self.name} is cut off or no file of a decryption: copy it again from its trustee's machine")
        if len(data) > MAX_LINE_SIZE:
            raise BallotError(f"{self.name} has a line of more than {MAX_LINE_SIZE} bytes: no file of a trustee has")
        try:
            value: _Line = _LINES.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BallotError(f"{self.name} is damaged or no file of a decryption: copy it again ({str(error)[:120]})") from error
        if _encode(value) != data:
            raise BallotError(f"{self.name} was changed after it was written: copy it again from its trustee's machine")
        if isinstance(value, RoundEnd):
            self.digest = self._sha256.digest()
        else:
            self._sha256.update(data)
        return value


def complete(files: Mapping[str, Scanned], step: Step, expected: RoundHeader) -> dict[int, str]:
    """The names of the files of one step, by trustee. `expected` is any header of the same decryption.

    Raises BallotError, naming the trustee, where one is missing, stands there in two versions, or is of another decryption.
    """
    found: dict[int, str] = {}
    for name, (header, digest) in files.items():
        if header.step != step:
            continue
        own = header.guardian
        if header.keys != expected.keys:
            raise BallotError(f"{name} (trustee {own}) is of another election: leave it out")
        if header.round != expected.round:
            raise BallotError(
                f"{name} (trustee {own}) is of another decryption: trustee {own} was given other bundles, openings or trustees, "
                "or another attempt; compare the lists, and let all run the same step with the same files"
            )
        if own in found and files[found[own]].digest != digest:
            raise BallotError(
                f"{found[own]} and {name} are both of trustee {own}, and they differ: a machine never writes two; begin again "
                "with a new --attempt and without trustee " + str(own)
            )
        found[own] = name
    missing = [own for own in expected.present if own not in found]
    if missing:
        raise BallotError(
            f"the {step} file of trustee {' and '.join(map(str, missing))} is missing: bring it; if that trustee cannot come any "
            "more, all begin again with a new --attempt and the trustees who are here"
        )
    return found


def digests_of(files: Mapping[str, Scanned], names: Mapping[int, str]) -> dict[int, bytes]:
    """What each trustee gave, by its hash."""
    return {own: files[name].digest for own, name in sorted(names.items())}


def seen_hash(*steps: Mapping[int, bytes]) -> bytes:
    """The hash over all trustees' files of these steps, which everybody can compare."""
    parts = [bytes((place, own)) + digest for place, step in enumerate(steps) for own, digest in sorted(step.items())]
    return hashlib.sha256(b"scrutineer tally files\n" + b"".join(parts)).digest()


def side_by_side(readers: Mapping[int, RoundReader]) -> Iterator[dict[int, BundleLine]]:
    """The lines of all trustees' files of one step, bundle by bundle. Raises BallotError where they name different bundles."""
    for lines in zip_longest(*readers.values()):
        if None in lines or len({line.bundle for line in lines}) != 1:
            raise BallotError("the trustees' files name different bundles: let all run the same step with the same files")
        yield dict(zip(readers, lines, strict=True))


def encode_request(request: TallyRequest) -> bytes:
    """A request as a trustee's machine keeps it, one line."""
    return _encode(RequestLine(*request))


def decode_request(data: bytes) -> TallyRequest:
    """A kept request. Raises BallotError."""
    try:
        return msgspec.json.decode(data, type=RequestLine).request()
    except (msgspec.MsgspecError, ValueError) as error:
        raise BallotError(f"the kept list of totals is damaged: begin again with a new --attempt ({str(error)[:120]})") from error


def encode_reveal(line: RevealLine) -> bytes:
    """Reveals as a trustee's machine keeps them until all others have committed, one line."""
    return _encode(line)


def decode_reveal(data: bytes) -> RevealLine:
    """Kept reveals. Raises BallotError."""
    try:
        return msgspec.json.decode(data, type=RevealLine)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BallotError(f"the kept reveals are damaged: give `trustees tally commit` again ({str(error)[:120]})") from error


def _encode(value: _Line | RequestLine) -> bytes:
    return msgspec.json.encode(value, order="sorted") + b"\n"
