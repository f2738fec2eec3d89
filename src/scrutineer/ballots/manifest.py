"""The manifest of encrypted ballots: contests, options, limits and ballot styles, in the order that hashes refer to.

ElectionGuard Design Specification 2.1.0, section 3.1.3. The manifest is derived from the contests of the election by a pure
function, before the trustees make their keys; its bytes are its canonical JSON. Contests, fields and styles are numbered from 1.

A contest may carry supplemental fields (section 3.3.9), which are encrypted and proved like options and are counted against the
selection limit L with a weight:

| field        | value on a ballot                                          | limit | weight |
|--------------|------------------------------------------------------------|-------|--------|
| `blank`      | 1 where nothing was chosen                                 | 1     | L      |
| `null`       | 1 where the voter insisted on more than L choices          | 1     | L      |
| `undervotes` | choices left unused on a ballot that is not blank          | L - 1 | 1      |
| `write-ins`  | choices that were written in                               | L     | 1      |

On an honest ballot of a contest with all of blank, null and (where L > 1) undervotes, the weighted sum is exactly L. As no ballot
can exceed L, the decrypted totals of a station show it for every single ballot: their weighted sum is L times the ballots cast.
"""

from typing import Annotated, Final, Literal

import msgspec

from scrutineer.election.contests import check_id, check_name
from scrutineer.errors import BallotError, DefinitionError

FORMAT: Final = "scrutineer-ballots/v1"
MAX_MANIFEST_SIZE: Final = 8 * 1024 * 1024  # bytes
MAX_FIELDS: Final = 512
"""Options and supplemental fields of one contest."""
MAX_LIMIT: Final = 64
MAX_DATA_BLOCKS: Final = 64
BLOCK_SIZE: Final = 32  # bytes of one block of contest data
MAX_LINES: Final = 8
"""Names that can be written in in one contest, however many choices it allows."""
MAX_NAME: Final = 80  # bytes of one written-in name

Field = Literal["blank", "null", "undervotes", "write-ins"]
FIELD_ORDER: Final[tuple[Field, ...]] = ("blank", "null", "undervotes", "write-ins")
FIELD_MARK: Final = "*"
"""Before the name of a supplemental field in its label; no option's label can begin with it."""
ORDER_MARK: Final = ">"
"""Between the options of a ranking in the label of an order."""

_Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)]


class ManifestContest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One contest as it is encrypted."""

    label: str
    options: tuple[str, ...]
    """Labels of the options; in a ranked contest, of the orders in which a ballot may rank them (an extension, see `orders`)."""
    selection_limit: _Limit = 1
    """L: the largest weighted sum of all fields on one ballot."""
    option_limit: _Limit = 1
    """R: the largest value of one option on one ballot."""
    fields: tuple[Field, ...] = ()
    data_blocks: Annotated[int, msgspec.Meta(ge=0, le=MAX_DATA_BLOCKS)] = 0
    """b: blocks of 32 bytes of the encrypted contest data (write-ins, overvotes); 0 where the contest has none."""
    orders: bool = False
    """Extension to ElectionGuard: each option here is one whole ranking, such as `wren>owl`, and a ballot chooses one."""

    def __post_init__(self) -> None:
        try:
            check_id(self.label, "contest")
            for option in self.options:
                for part in option.split(ORDER_MARK) if self.orders else (option,):
                    check_id(part, f"option of contest {self.label}")
        except DefinitionError as error:
            raise BallotError(f"the manifest cannot be used: {error}") from error
        where = f"contest {self.label} of the manifest"
        if not self.options or len(set(self.options)) != len(self.options):
            raise BallotError(f"{where} has no option, or one twice: give each option once")
        if len(self.options) + len(self.fields) > MAX_FIELDS:
            raise BallotError(f"{where} has more than {MAX_FIELDS} options and fields: it cannot be voted on encrypted ballots")
        if self.fields != tuple(field for field in FIELD_ORDER if field in self.fields):
            raise BallotError(f"{where} has its supplemental fields twice or in another order than {', '.join(FIELD_ORDER)}")
        if "undervotes" in self.fields and self.selection_limit == 1:
            raise BallotError(f"{where} allows one choice: a ballot with none is blank, and undervotes cannot occur")
        if self.orders and (self.selection_limit, self.option_limit) != (1, 1):
            raise BallotError(f"{where} is ranked: a ballot chooses one order")

    def labels(self) -> tuple[str, ...]:
        """The labels of all verifiable fields: the options, then the supplemental fields with their mark."""
        return self.options + tuple(FIELD_MARK + field for field in self.fields)

    def limits(self) -> tuple[int, ...]:
        """For each verifiable field, the largest value that its range proof admits."""
        own = {"blank": 1, "null": 1, "undervotes": self.selection_limit - 1, "write-ins": self.selection_limit}
        return (self.option_limit,) * len(self.options) + tuple(own[field] for field in self.fields)

    def weights(self) -> tuple[int, ...]:
        """For each verifiable field, how much one of it counts against the selection limit."""
        whole = self.selection_limit
        return (1,) * len(self.options) + tuple(whole if field in ("blank", "null") else 1 for field in self.fields)


class Style(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ballot style: which contests stand on a ballot, by number and in ascending order."""

    label: str
    contests: tuple[int, ...]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Straight-party voting: the options that one choice of a party stands for, as (contest, option) numbers.

    An extension to ElectionGuard: the choice is expanded before encryption, so the record holds only what it stands for.
    """

    label: str
    name: str
    options: tuple[tuple[int, int], ...]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is voted on, as the trustees' keys and every ballot are bound to it."""

    election: str
    """Id of the election."""
    name: str
    date: str
    contests: tuple[ManifestContest, ...]
    styles: tuple[Style, ...]
    format: str = ""
    parties: tuple[Party, ...] = ()
    trimming: Annotated[int, msgspec.Meta(ge=0, le=8)] = 0
    """Number of the hash-trimming function (section 4.6) for short codes of pre-encrypted ballots; 0 without such ballots."""

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise BallotError(f"the manifest has the format {self.format[:40]!r}: this program reads {FORMAT}")
        try:
            check_id(self.election, "election")
            check_name(self.name, "name of the election")
        except DefinitionError as error:
            raise BallotError(f"the manifest cannot be used: {error}") from error
        labels = [contest.label for contest in self.contests]
        if not labels or len(set(labels)) != len(labels):
            raise BallotError("the manifest has no contest, or one twice")
        seen: set[str] = set()
        for style in self.styles:
            if style.label in seen or not style.label:
                raise BallotError(f"ballot style {style.label[:40]!r} of the manifest has no label or stands twice")
            seen.add(style.label)
            numbers = style.contests
            if not numbers or list(numbers) != sorted(set(numbers)) or not 1 <= numbers[0] <= numbers[-1] <= len(labels):
                raise BallotError(f"ballot style {style.label} of the manifest does not list contests in ascending order")
        if not self.styles:
            raise BallotError("the manifest has no ballot style: add at least one")
        for party in self.parties:
            for contest, option in party.options:
                if not 1 <= contest <= len(labels) or not 1 <= option <= len(self.contests[contest - 1].options):
                    raise BallotError(f"party {party.label} of the manifest names an option that no contest has")

    def encode(self) -> bytes:
        """The one form of this manifest: JSON with sorted keys and without spaces. This is the file that H_B binds."""
        return msgspec.json.encode(self, order="sorted")

    def style(self, number: int) -> Style:
        """The ballot style of a number. Raises BallotError for one that is not in the manifest."""
        if not 1 <= number <= len(self.styles):
            raise BallotError(f"the manifest has no ballot style {number}: it has {len(self.styles)}")
        return self.styles[number - 1]

    def contest(self, number: int) -> ManifestContest:
        """The contest of a number. Raises BallotError for one that is not in the manifest."""
        if not 1 <= number <= len(self.contests):
            raise BallotError(f"the manifest has no contest {number}: it has {len(self.contests)}")
        return self.contests[number - 1]


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises BallotError unless it is one in its only form."""
    if len(data) > MAX_MANIFEST_SIZE:
        raise BallotError(f"the manifest has more than {MAX_MANIFEST_SIZE} bytes")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BallotError(f"not a manifest of encrypted ballots: {error}") from error
    if manifest.encode() != data:
        raise BallotError("the manifest is not in its only form (JSON with sorted keys, without spaces)")
    return manifest
