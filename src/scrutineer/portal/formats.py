"""The small JSON files of a site that a reader needs before anything else: `site.json` and `log/head.json`."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from scrutineer.errors import PublicationError, StoreError
from scrutineer.log import Head
from scrutineer.portal.record import Level, Pages, Record, SiteOptions, Translated

_T = TypeVar("_T")

FORMAT: Final = "scrutineer-site/v1"
MAX_FILE_SIZE: Final = 4096  # bytes, each of the two files

SITE_FILE: Final = "site.json"
MISSING_PAGE: Final = "404.html"
"""What servers show where there is no file; the name that most of them look for."""
CHECKPOINT_FILE: Final = "log/checkpoint"
PENDING_FILE: Final = "log/checkpoint.pending"  # where a newer head waits for its witnesses
HEAD_FILE: Final = "log/head.json"
DEFINITION_FILE: Final = "definition/definition.cose"
UNITS_FILE: Final = "definition/units.csv"
REGISTER_FILE: Final = "definition/register.csv"
BASELINE_FILE: Final = "definition/baseline.csv"  # where the definition names one
SHAPES_FILE: Final = "definition/shapes.geojson"  # where the definition names it
BALLOTS_FILE: Final = "definition/ballots.json"  # the trustees' keys, where the definition names them
MANIFEST_FILE: Final = "manifest"


@dataclass(frozen=True)
class SiteFile:
    """One file of the site: its path with '/' between folders, and its bytes in pieces."""

    path: str
    chunks: Iterable[bytes]
    once: bool = False
    """Whether its bytes stay the same for ever once it was published, so that nobody need make it again."""
    digest: bytes = b""
    """SHA-256 where it is known beforehand: a file that was published with it need not be written again."""


class Once:
    """The bytes of a file of the site that are made when somebody takes them; for files that need not be made again."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[bytes]:
        yield self._make()


class SiteInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`site.json`: which election and log the site shows, at which size, and the publisher's options (SiteOptions)."""

    format: str
    definition: str
    """Hash of the definition's statement in hexadecimal; names the election."""
    origin: str
    """Origin line of the log."""
    size: int
    """Log entries that the site shows."""
    pages: Pages
    nist: Level
    languages: tuple[str, ...]
    translated: Translated

    @property
    def options(self) -> SiteOptions:
        """The publisher's options."""
        return SiteOptions(self.pages, self.nist, self.languages, self.translated)


class _HeadFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int
    root: str
    signature: str
    time_ms: int


def site_info(record: Record) -> SiteInfo:
    """What `site.json` says of a record."""
    return SiteInfo(
        FORMAT,
        record.election.hash.hex(),
        record.verifier.origin,
        record.head.size,
        record.options.pages,
        record.options.nist,
        record.options.languages,
        record.options.translated,
    )


def write_site_info(info: SiteInfo) -> bytes:
    """The bytes of `site.json`."""
    return write_json(msgspec.to_builtins(info))


def read_site_info(data: bytes) -> SiteInfo:
    """Read `site.json`. Raises PublicationError unless it is one in its only form."""
    info = _read(data, SiteInfo, SITE_FILE)
    if info.format != FORMAT:
        raise PublicationError(f"{SITE_FILE} has the format {info.format[:64]!r}: this program reads {FORMAT!r}")
    if write_site_info(info) != data:
        raise PublicationError(f"{SITE_FILE} is not in the form that `publish` writes: fetch it again")
    return info


def write_head(head: Head) -> bytes:
    """The bytes of `log/head.json`: the head with the signature that every receipt of it carries."""
    return write_json({"size": head.size, "root": head.root.hex(), "signature": head.signature.hex(), "time_ms": head.time_ms})


def read_head(data: bytes) -> Head:
    """Read `log/head.json`. Raises PublicationError unless it is one in its only form; the signature is not checked."""
    fields = _read(data, _HeadFields, HEAD_FILE)
    try:
        head = Head(fields.size, bytes.fromhex(fields.root), bytes.fromhex(fields.signature), fields.time_ms)
    except (ValueError, StoreError) as error:
        raise PublicationError(f"{HEAD_FILE} does not hold a head of the log ({error}): fetch it again") from error
    if write_head(head) != data:
        raise PublicationError(f"{HEAD_FILE} is not in the form that `publish` writes: fetch it again")
    return head


def write_json(value: object) -> bytes:
    """JSON as every file of the site has it: UTF-8, two spaces, fields in the order given, one line end at the end."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _read(data: bytes, struct: type[_T], name: str) -> _T:
    if len(data) > MAX_FILE_SIZE:
        raise PublicationError(f"{name} has {len(data)} bytes: at most {MAX_FILE_SIZE} are read")
    try:
        return msgspec.json.decode(data, type=struct)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PublicationError(f"{name} cannot be read ({error}): fetch it again") from error
