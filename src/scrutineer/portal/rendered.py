"""What the pages of places in a site's folder were made from, so that the next publication need not make all of them again.

A hidden file of the folder keeps it. It is no part of the site: it is in no manifest, and nobody who reads or checks the site
needs it. What it says is believed only together with the manifest that it names, which the log has signed.
"""

import contextlib
import hashlib
import importlib.metadata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

import scrutineer
from scrutineer.log import Head
from scrutineer.portal.formats import site_info, write_json, write_site_info
from scrutineer.portal.record import Record

RENDERED_FILE: Final = ".rendered"
MAX_RENDERED_SIZE: Final = 4096  # bytes

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_LIBRARIES: Final = ("babel", "jinja2", "markupsafe", "tzdata")
"""Of other libraries the pages show nothing that could change with their version."""


class Rendered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of the pages of places: as of log size `size`, and those that changed since perhaps as of any size to `up_to`."""

    maker: str
    """SHA-256 of the program and of everything that every page is made from: definition and options."""
    size: int
    up_to: int
    """Larger than `size` while a publication is under way, and after one that was cut off."""
    heads: int
    """How many heads had been published up to `size`."""
    published: str
    """SHA-256 of these heads, on which the receipts of the pages rest."""
    manifest: str
    """SHA-256 of the manifest of this publication."""
    boot: str
    """The machine's start during which the files were written: after another one, what is on the disk has to be looked at."""

    @classmethod
    def of(cls, record: Record, manifest: bytes) -> "Rendered":
        """What is so once a record has been published with this manifest."""
        heads = _heads(record)
        size = record.head.size
        digest = hashlib.sha256(manifest).hexdigest()
        return cls(_maker(record), size, size, len(heads), _digest(heads), digest, _boot())

    @classmethod
    def read(cls, data: bytes | None) -> "Rendered | None":
        """Read the file; None where it is not there or cannot be read, so that everything is made again."""
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None if data is None else msgspec.json.decode(data, type=cls)
        return None

    def to_json(self) -> bytes:
        """The bytes of the file."""
        return write_json(msgspec.to_builtins(self))

    def serves(self, record: Record, manifest: bytes) -> bool:
        """Whether pages whose places did not change may stay as they are."""
        heads = _heads(record)
        return (
            self.maker == _maker(record)
            and 1 <= self.size <= self.up_to <= record.head.size
            and self.heads <= len(heads)
            and self.published == _digest(heads[: self.heads])
            and self.manifest == hashlib.sha256(manifest).hexdigest()
        )

    def up_to_size(self, size: int) -> "Rendered":
        """The same while pages are being made as of another log size."""
        return msgspec.structs.replace(self, up_to=size)

    def is_of_this_boot(self) -> bool:
        """Whether every file is as it was written, unless somebody changed it: no power has failed in between."""
        return bool(self.boot) and self.boot == _boot()


def _heads(record: Record) -> Sequence[Head]:
    """The heads that `record.covering` chooses from, each size once: of two at one size the one that was published first."""
    before = tuple(snapshot.head for snapshot in record.history)
    return before if before and before[-1].size == record.head.size else (*before, record.head)


def _digest(heads: Sequence[Head]) -> str:
    return hashlib.sha256(b"".join(b"%d %d %b %b\n" % (h.size, h.time_ms, h.root, h.signature) for h in heads)).hexdigest()


def _maker(record: Record) -> str:
    info = write_site_info(msgspec.structs.replace(site_info(record), size=0))
    return hashlib.sha256(program() + info).hexdigest()


@cache
def program() -> bytes:
    """SHA-256 of everything that this package is made of, templates and catalogues too, and of what its pages rest on."""
    digest = hashlib.sha256()
    root = Path(scrutineer.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for name in _LIBRARIES:
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    return digest.digest()


def _boot() -> str:
    with contextlib.suppress(OSError):
        return _BOOT.read_text().strip()
    return ""
