"""Reads rankings as the RAIRE tools exchange them: a text file of contests first, then a line for each ballot and contest.

The first line is the number of contests. Each of them has a line `Contest,<id>,<n>,<option>,…` with its n options, which some
programs end with `winner,<option>` and further notes; they are read over. Then come lines `<contest>,<ballot>,<preference>,…`,
most preferred first. A ballot may rank no option, with or without the comma before; a ballot without a line for a contest does
not hold it. Of a ballot that ranks an option twice only the first place counts. Ids such as `99813_1_3` or `99813-1-3` name
tabulator, batch and place; others say nothing of where the ballot lies.
"""

import re
from collections.abc import Hashable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from numpy.typing import NDArray

from scrutineer.audits.cards.assembly import Assembly, Shape, joined
from scrutineer.audits.cards.model import ABSENT, Cards
from scrutineer.audits.cards.sources import Counted, Progress, Source, silent
from scrutineer.errors import AuditError

BLOCK: Final = 2 << 20
LONGEST_LINE: Final = 1 << 20
MOST_CONTESTS: Final = 10_000
UNPLACED: Final = "unplaced"
"""The batch of ballots whose records do not say where they lie."""
_STOPS: Final = {joint: bytes(int(letter in b"\n," + (joint or b"")) for letter in range(256)) for joint in (None, b"_", b"-")}
"""By what stands between the parts of an id: 1 for each byte that may end a cell or part."""
_CUT: Final = 1  # a byte that no such file holds


def recognises(first: bytes) -> bool:
    """Whether a file starts as these do."""
    lines = first.split(b"\n", 2)
    return len(lines) > 1 and lines[0].strip().isdigit() and lines[1].startswith(b"Contest,")


def read_raire(source: Source, progress: Progress = silent) -> Cards:
    """The ballots of a file of this format. Raises AuditError, naming the line."""
    with source.open() as stream:
        lines = _Lines(source, Counted(source, stream, progress, 0, source.size))
        lines.read()
    return lines.cards()


class _Unlike(Exception):  # noqa: N818
    """An id has not the form of the first one."""


class _Lines:
    """What has been read of one file."""

    def __init__(self, source: Source, stream: Counted) -> None:
        self.name = source.name
        self.stream = stream
        self.line = 0
        """Lines that are done."""
        self.options: dict[str, tuple[str, ...]] = {}
        self.assembly = Assembly(source.name)
        self.ids: list[pa.Array] = []
        self.batches: list[NDArray[np.int32]] = []
        self.positions: list[NDArray[np.int32]] = []
        self.contests: list[NDArray[np.int32]] = []
        self.numbers: list[NDArray[np.int32]] = []
        self.marks: dict[tuple[str, str], int] = {}
        self.joint: bytes | None = None
        """What stands between the parts of an id, where it names a place."""
        self.first = True

    def wrong(self, line: int, what: str) -> AuditError:
        return AuditError(f"{self.name}, line {line}: {what}")

    def header_line(self) -> list[str]:
        self.line += 1
        data = self.stream.readline(LONGEST_LINE)
        try:
            text = data.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise self.wrong(self.line, "not text in UTF-8; save the file so") from error
        if not data.endswith(b"\n"):
            raise self.wrong(self.line, "the file ends here, or the line is too long; ask for a whole file")
        return text.split(",")

    def read(self) -> None:
        count = self.header_line()
        if len(count) != 1 or not count[0].strip().isdecimal() or not 1 <= int(count[0]) <= MOST_CONTESTS:
            raise self.wrong(1, f"give the number of contests, from 1 to {MOST_CONTESTS}")
        for _ in range(int(count[0])):
            cells = self.header_line()
            if cells[0] != "Contest" or len(cells) < 4 or not cells[2].isdecimal() or len(cells) < 3 + int(cells[2]):
                raise self.wrong(self.line, "a contest is given as Contest,<id>,<number of options>,<option>,…")
            options = tuple(cells[3 : 3 + int(cells[2])])
            if not cells[1] or cells[1] in self.options or len(set(options)) != len(options) or "" in options or not options:
                raise self.wrong(self.line, f"contest {cells[1]!r} or one of its options stands there twice, or has no name")
            self.options[cells[1]] = options
            self.assembly.column(cells[1])
        rest = b""
        while True:
            data = self.stream.read(BLOCK)
            cut = data.rfind(b"\n") + 1
            body = rest + (data[:cut] if data else b"\n")
            if not data:
                if rest:
                    self.block(body)
                return
            if not cut:
                if len(rest) + len(data) > LONGEST_LINE + BLOCK:
                    raise self.wrong(self.line + 1, "the line is too long; check what the file is")
                rest += data
                continue
            self.block(body)
            rest = data[cut:]

    def block(self, body: bytes) -> None:
        """Whole lines, each ended by LF."""
        if self.first:
            self.first = False
            card = [*body.split(b"\n", 1)[0].split(b","), b""][1]
            for joint in (b"_", b"-"):
                parts = card.split(joint)
                if len(parts) == 3 and parts[2].isdigit():
                    self.joint = joint
        if body.count(bytes([_CUT])):
            raise self.wrong(self.line + 1, "or a line after it holds control characters; check what the file is")
        try:
            self.table(*self.columns(body, self.joint))
        except _Unlike:
            # The ids do not all name places: what was read before loses them as well, so that all cards are treated alike.
            self.joint = None
            self.batches = [np.zeros(len(each), np.int32) for each in self.ids]
            self.positions = [np.zeros(len(each), np.int32) for each in self.ids]
            self.table(*self.columns(body, None))
        self.line += body.count(b"\n")

    def columns(self, body: bytes, joint: bytes | None) -> tuple[pa.Table, str | None]:
        """The block as a table, and its contest where it is the same in all lines.

        Commas that separate the first two cells are replaced by a byte that no line holds, and the table is cut at that byte
        alone: so all preferences of a line are one cell, and each list of preferences is met once.
        """
        contest = body[: body.find(b",")]
        lines = body.count(b"\n")
        text = b"\n" + body
        alone = bool(contest) and contest.decode(errors="replace") in self.options
        if alone:
            without = text.replace(b"\n" + contest + b",", b"\n")
            alone = len(text) - len(without) == lines * (len(contest) + 1)
            text = without if alone else text
        letters = np.frombuffer(bytearray(text), np.uint8)
        # One pass in C says where anything stands that could end a cell.
        stops = np.flatnonzero(np.frombuffer(text.translate(_STOPS[joint]), np.bool_))
        ends = np.flatnonzero(letters[stops] == ord("\n"))
        # After the end of the line before: a comma after the contest, two joints in the id, a comma after the id.
        wanted = b"" if alone else b","
        wanted += joint * 2 + b"," if joint else b","
        cut = [True] if not alone else []
        cut += [False, True, True] if joint else [True]
        at = ends[:-1]
        for step, (mark, cuts) in enumerate(zip(wanted, cut, strict=True), 1):
            places = stops[np.minimum(at + step, len(stops) - 1)]
            fits = letters[places] == mark
            if not fits.all():
                whole = _completed(body)
                if whole != body:
                    return self.columns(whole, joint)
                if joint:
                    raise _Unlike
                raise self.wrong(
                    self.line + 1 + int(np.argmin(fits)),
                    "give contest, ballot and preferences, separated by commas, on each line",
                )
            if cuts:
                letters[places] = _CUT
        names = ([] if alone else ["contest"]) + (["batch", "position"] if joint else ["id"]) + ["marks"]
        dictionary = pa.dictionary(pa.int32(), pa.string())
        kinds = {"contest": dictionary, "batch": dictionary, "position": pa.string(), "id": pa.string(), "marks": dictionary}
        try:
            table = pcsv.read_csv(
                pa.BufferReader(letters[1:].data),
                read_options=pcsv.ReadOptions(use_threads=False, column_names=names, block_size=len(letters) + 1),
                parse_options=pcsv.ParseOptions(delimiter=chr(_CUT), quote_char=False, ignore_empty_lines=False),
                convert_options=pcsv.ConvertOptions(
                    column_types={name: kinds[name] for name in names}, strings_can_be_null=False, check_utf8=True
                ),
            )
        except pa.ArrowInvalid as error:
            raise self.wrong(self.line + 1, f"or a line after it cannot be read ({error}); save the file in UTF-8") from error
        return table, contest.decode() if alone else None

    def table(self, table: pa.Table, contest: str | None) -> None:
        """Notes the lines of one block."""
        if self.joint:
            batch, position = table["batch"].combine_chunks(), table["position"].combine_chunks()
            if not pc.all(pc.and_(pc.ascii_is_decimal(position), pc.less(pc.binary_length(position), 10))).as_py():
                raise _Unlike
            names = [name.replace("_", "-") for name in batch.dictionary.to_pylist()]
            if any(name.startswith("-") or name.endswith("-") for name in names):
                raise _Unlike
            numbers = np.array([self.assembly.batch(name) for name in names], np.int32)
            self.batches.append(numbers[batch.indices.to_numpy()])
            self.positions.append(pc.cast(position, pa.int32()).to_numpy())
            self.ids.append(pc.binary_join_element_wise(batch.cast(pa.string()), position, self.joint.decode()))
        else:
            self.ids.append(table["id"].combine_chunks())
            self.batches.append(np.zeros(len(table), np.int32))
            self.positions.append(np.zeros(len(table), np.int32))
        marks = table["marks"].combine_chunks()
        texts, places = marks.dictionary.to_pylist(), marks.indices.to_numpy()
        if contest is not None:
            self.contests.append(np.full(len(table), list(self.options).index(contest), np.int32))
            numbers = np.array([self.number(contest, text, places, place) for place, text in enumerate(texts)], np.int32)
            self.numbers.append(numbers[places])
            return
        named = table["contest"].combine_chunks()
        known = {name: number for number, name in enumerate(self.options)}
        contests = named.indices.to_numpy()
        kinds = named.dictionary.to_pylist()
        for place, kind in enumerate(kinds):
            if kind not in known:
                raise self.wrong(self.line + 1 + int(np.argmax(contests == place)), f"contest {kind!r} is not listed at the top")
        both = contests.astype(np.int64) * len(texts) + places
        kept, inverse = np.unique(both, return_inverse=True)
        numbers = np.array(
            [self.number(kinds[each // len(texts)], texts[each % len(texts)], both, each) for each in kept.tolist()], np.int32
        )
        self.numbers.append(numbers[inverse])
        self.contests.append(np.array([known[kind] for kind in kinds], np.int32)[contests])

    def number(self, contest: str, text: str, places: NDArray[np.int64], place: int) -> int:
        """The number of a ranking in its contest, from its text."""
        number = self.marks.get((contest, text))
        if number is None:
            ranking = tuple(dict.fromkeys(text.split(","))) if text else ()
            unknown = set(ranking) - set(self.options[contest])
            if unknown:
                raise self.wrong(
                    self.line + 1 + int(np.argmax(places == place)), f"contest {contest!r} has no option {min(unknown)!r}"
                )
            number = self.marks[contest, text] = self.assembly.column(contest).number(ranking)
        return number

    def cards(self) -> Cards:
        """All ballots; of several contests those with the same id together."""
        if not self.ids:
            raise self.wrong(self.line, "no ballot follows the contests; ask for a whole file")
        if not self.joint:
            self.assembly = _plain(self.assembly)
        ids = joined(self.ids)
        batch, position = np.concatenate(self.batches), np.concatenate(self.positions)
        contest, number = np.concatenate(self.contests), np.concatenate(self.numbers)
        numbers: dict[Hashable, NDArray[np.int32]] = {}
        if len(self.options) == 1:
            numbers[next(iter(self.options))] = number
        else:
            named = ids.dictionary_encode()
            card = named.indices.to_numpy()
            ids = named.dictionary
            both = np.sort(card.astype(np.int64) * len(self.options) + contest)
            for twice in both[1:][both[1:] == both[:-1]][:1]:
                raise AuditError(
                    f"{self.name}: ballot {ids[int(twice) // len(self.options)].as_py()!r} has two lines for a contest"
                )
            first = np.empty(len(ids), np.int64)
            first[card[::-1]] = np.arange(len(card) - 1, -1, -1)
            batch, position = batch[first], position[first]
            for place, name in enumerate(self.options):
                mine = contest == place
                column = np.full(len(ids), ABSENT, np.int32)
                column[card[mine]] = number[mine]
                numbers[name] = column
        self.assembly.block(ids, batch, position, numbers)  # type: ignore[arg-type]
        return self.assembly.finish(
            Shape(name, name, tuple((option, option) for option in options), most=len(options), ranked=True)
            for name, options in self.options.items()
        )


def _completed(body: bytes) -> bytes:
    """The same lines, where those that end after the ballot have the comma behind which the preferences are missing."""
    return re.sub(rb"(?m)^([^,\r\n]*,[^,\r\n]*)(?=\r?$)", rb"\1,", body)


def _plain(assembly: Assembly) -> Assembly:
    """The same contests where no ballot is known to lie in any box: all are in one batch."""
    other = Assembly(assembly.name)
    other.columns = assembly.columns
    other.batch(UNPLACED)
    return other
