"""Reads cast vote records of any maker: recognises the format by what the files hold, not by their names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.audits.cards import clearballot, compact, dominion_csv, dominion_json, ess, hart, nist, raire
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import Progress, Source, opened, silent
from scrutineer.errors import AuditError


@dataclass(frozen=True, slots=True)
class Format:
    """One maker's format."""

    name: str
    words: str
    """For people."""
    recognises: Callable[[bytes], bool]
    read: Callable[[Sequence[Source], str, Progress], Cards]


def _alone(
    read: Callable[[Source, Progress], Cards], recognises: Callable[[bytes], bool]
) -> Callable[[Sequence[Source], str, Progress], Cards]:
    """A reader of one file, which may lie in a folder or zip."""

    def read_one(sources: Sequence[Source], name: str, progress: Progress) -> Cards:
        found = list(sources) if len(sources) == 1 else [source for source in sources if recognises(source.first())]
        if len(found) != 1:
            raise AuditError(f"{name}: {len(found)} files of this format; name one of them")
        return read(found[0], progress)

    return read_one


FORMATS: Final = {
    each.name: each
    for each in (
        Format("compact", "Scrutineer's file of cards", compact.recognises, _alone(compact.read_compact, compact.recognises)),
        Format("raire", "RAIRE", raire.recognises, _alone(raire.read_raire, raire.recognises)),
        Format("dominion-json", "Dominion, JSON", dominion_json.recognises, dominion_json.read_dominion_json),
        Format(
            "dominion-csv",
            "Dominion, CSV",
            dominion_csv.recognises,
            _alone(dominion_csv.read_dominion_csv, dominion_csv.recognises),
        ),
        Format("nist", "NIST SP 1500-103, JSON", nist.recognises, nist.read_nist),
        Format("hart", "Hart Verity, XML", hart.recognises, hart.read_hart),
        Format(
            "clearballot",
            "Clear Ballot, CSV",
            clearballot.recognises,
            _alone(clearballot.read_clearballot, clearballot.recognises),
        ),
        Format("ess", "ES&S, CSV", ess.recognises, ess.read_ess),
    )
}
_LOOKS: Final = 50
"""Files of a folder or zip that are looked at to recognise the format."""


def recognise(path: Path) -> str:
    """The format of a file, folder or zip: a key of FORMATS. Raises AuditError where it is none of them."""
    with opened(path) as sources:
        return _recognise(sources, path.name)


def _recognise(sources: Sequence[Source], name: str) -> str:
    for source in sources[:_LOOKS]:
        if source.name.lower().endswith(".zip"):
            return "hart"
        first = source.first()
        for each in FORMATS.values():
            if each.recognises(first):
                return each.name
    known = "; ".join(each.words for each in FORMATS.values())
    raise AuditError(
        f"{name}: not recognised as records of cards; what is read is {known}: check whether this is the file that its maker "
        "exports"
    )


def read_cards(path: Path, format: str | None = None, *, progress: Progress = silent) -> Cards:  # noqa: A002
    """The cards that a file, folder or zip has records of.

    `format` is a key of FORMATS; without it the content decides. Raises AuditError, naming the file, the line where there are
    lines, and what to do.
    """
    if format is not None and format not in FORMATS:
        raise AuditError(f"there is no format {format!r} of records; choose one of {', '.join(FORMATS)}")
    with opened(path) as sources:
        if not sources:
            raise AuditError(f"{path.name}: holds no file; check the path")
        return FORMATS[format or _recognise(sources, path.name)].read(sources, path.name, progress)
