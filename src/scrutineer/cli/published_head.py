"""Which head of a log may be published: with witnesses in the definition, the newest that carries their quorum, and no other."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.cli.cosigning import Cosigning, cosigning_of
from scrutineer.cli.office import RECORD, Office
from scrutineer.errors import LogError, NoteError
from scrutineer.log import Head, Log
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.portal.formats import CHECKPOINT_FILE
from scrutineer.witness.client import client
from scrutineer.witness.cosigned import CosignedCheckpoint, check_continues, check_frozen

_NOBODY: Final = "none of the witnesses has an address: give --witness NAME=URL"


class PublishedHead(NamedTuple):
    """The head to publish, and what is said of its witnesses."""

    head: Head
    checkpoint: bytes
    """Its signed note, with the quorum's cosignatures where the definition names witnesses."""
    pending: bytes | None = None
    """Signed note of the log's newest head, where that one waits for its witnesses."""
    cosigned: bool = True
    """False where the definition names witnesses, and no head carries their quorum: this one may be shown as pending alone."""
    words: str = ""
    """Who has cosigned, and why others have not; empty without witnesses."""


def newest_cosigned(office: Office, site: Path) -> CosignedCheckpoint | None:
    """The newest cosigned checkpoint that is known without asking: of the record, or of a site that was published before.

    Take it before the log is read: whatever is older than the log's last head must then be in the log.
    """
    cosigning = cosigning_of(office, (), (), lambda _: None)
    if cosigning is None:
        return None
    found = []
    # A damaged one is replaced as soon as a quorum has cosigned again.
    with contextlib.suppress(NoteError):
        found.append(cosigning.kept.read())
    # Where there is none, or it is no site of this log, `publish` says so when it writes there.
    with contextlib.suppress(OSError, NoteError), (site / CHECKPOINT_FILE).open("rb") as file:
        found.append(cosigning.kept.open(file.read(MAX_NOTE_SIZE + 1)))
    return max((one for one in found if one is not None), key=lambda one: one.checkpoint.size, default=None)


def head_to_publish(
    office: Office, log: Log, before: CosignedCheckpoint | None = None, given: Sequence[str] = (), without: Sequence[str] = ()
) -> PublishedHead:
    """Ask the witnesses for the log's newest head; where they do not give the quorum, fall back to `before`.

    Raises LogError where the log was frozen, is not the one that was cosigned before, or is contradicted by a witness.
    """
    head = log.head
    if head is None:
        raise LogError("the log is empty: open the election folder again")
    cosigning = cosigning_of(office, given, without, lambda _: None)
    if cosigning is None:
        return PublishedHead(head, log.checkpoint())
    check_frozen(office.folder / RECORD)
    if before is not None:
        size = before.checkpoint.size
        check_continues(before, log.size, log.root(size) if size <= log.size else None, cosigning.kept.path)
    found = asyncio.run(_ask(cosigning, log))
    words = _words(cosigning)
    if found is not None:
        return PublishedHead(head, found.note, words=words)
    if before is None:
        return PublishedHead(head, log.checkpoint(), cosigned=False, words=words)
    if before.checkpoint.size == head.size:
        return PublishedHead(head, before.note, words=before.cosigners.sentence)
    return PublishedHead(log.head_at(before.checkpoint.size), before.note, log.checkpoint(), words=words)


async def _ask(cosigning: Cosigning, log: Log) -> CosignedCheckpoint | None:
    async with client() as http:
        return await cosigning.round(http, log)


def _words(cosigning: Cosigning) -> str:
    said = cosigning.cosigners.sentence if cosigning.cosigners is not None else _NOBODY
    troubles = [f"{witness.name}: {witness.trouble}" for witness in cosigning.state.witnesses if witness.trouble]
    return "; ".join([said, *troubles])
