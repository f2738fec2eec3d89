"""The two papers of a ballot, as PDF of receipt-printer width: the record for the box, and the slip that the voter keeps.

The *paper record* says the voter's choices in words and carries the paper's serial. The *slip* carries the tracking code, in
words and as a QR code, and nothing about the choices. Neither has a time or a number, and nothing on one leads to the other: the
serial and the code can be joined only by who opens the nonce of the encrypted ballot.

The bytes depend on the content alone. They are made in memory; what a printer leaves behind is the business of printer.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import segno

from scrutineer.design.typesetting import typeset
from scrutineer.errors import BallotError, TypesettingError
from scrutineer.language import PlainSay, language
from scrutineer.station.voting.readable import ReadableChoice, ReadableContest

MAX_PDF_SIZE: Final = 8 * 1024 * 1024  # bytes
_TEMPLATE: Final = "paper.typ"
_WORDS_IN_LINE: Final = 2
_MARK: Final = "■"

Fate = Literal["open", "tested"]
"""What a slip says of its ballot: the voter has not answered yet; it was opened as a test and is not counted."""


@dataclass(frozen=True, slots=True)
class PaperRecord:
    """What goes into the box."""

    language: str
    election: str
    station: str
    contests: tuple[ReadableContest, ...]
    serial: str
    party: str = ""
    """Name of the party that was chosen for the whole ballot."""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Slip:
    """What the voter takes home."""

    language: str
    election: str
    words: str
    """The tracking code."""
    site: str = ""
    """Where the record is published; empty where that is not known at the station."""
    fate: Fate = "open"


def papers(content: Sequence[PaperRecord | Slip]) -> bytes:
    """A PDF with one page for each paper. Raises BallotError where it cannot be made."""
    shown = [_record(paper) if isinstance(paper, PaperRecord) else _slip(paper) for paper in content]
    title = content[0].election if content else ""
    try:
        made = typeset("scrutineer.station.voting", _TEMPLATE, {"title": title, "papers": shown})
    except TypesettingError as error:
        raise BallotError(f"the paper cannot be made ({error}): ask for help before anyone votes here") from error
    if len(made) > MAX_PDF_SIZE:
        raise BallotError("the paper cannot be made: it is longer than a printer takes")
    return made


def qr_svg(words: str) -> str:
    """The QR code of a tracking code as an SVG element that scales to its container: the words themselves."""
    svg: str = segno.make_qr(words, error="m", boost_error=False).svg_inline(omitsize=True, border=4)
    return svg


def code_lines(words: str) -> list[str]:
    """A code in lines of two words, each with the hyphen that leads to the next."""
    parts = words.split("-")
    rows = ["-".join(parts[at : at + _WORDS_IN_LINE]) for at in range(0, len(parts), _WORDS_IN_LINE)]
    return [f"{row}-" for row in rows[:-1]] + rows[-1:]


def contest_notes(say: PlainSay, one: ReadableContest) -> list[str]:
    """What a paper says of a contest beside its choices."""
    if one.state == "blank":
        return [say("Nothing chosen: left blank.")]
    if one.state == "null":
        return [say("Not counted: marked in a way that this contest does not allow.")]
    if one.left and any(choice.points for choice in one.choices):
        return [say.several("{n} point not given.", "{n} points not given.", one.left)]
    return [say.several("{n} more choice was allowed.", "{n} more choices were allowed.", one.left)] if one.left else []


def _record(paper: PaperRecord) -> dict[str, object]:
    known = language(paper.language)
    say = PlainSay(known)
    return {
        "kind": "record",
        "language": known.code,
        "direction": known.direction,
        "heading": say("Paper ballot"),
        "election": paper.election,
        "station": paper.station,
        "provisional": say("Provisional ballot") if paper.provisional else "",
        "party": say("Party chosen for the whole ballot: {party}", party=paper.party) if paper.party else "",
        "contests": [
            {
                "title": one.title,
                "choices": [_choice(say, choice) for choice in one.choices],
                "notes": contest_notes(say, one),
            }
            for one in paper.contests
        ],
        "serial_label": say("Serial of this paper"),
        "serial": code_lines(paper.serial),
        # A provisional ballot in the box would be counted with the others.
        "footer": say("Give the paper ballot to a poll worker, who puts it into its envelope.")
        if paper.provisional
        else say("Compare it with what you wanted, then put it into the ballot box."),
    }


def _choice(say: PlainSay, choice: ReadableChoice) -> dict[str, str]:
    sign = f"{say.number(choice.place)}." if choice.place else _MARK
    note = say("written in") if choice.written_in else ""
    if choice.points:
        note = say.several("{n} point", "{n} points", choice.points)
    return {"sign": sign, "name": choice.name, "note": note}


def _slip(paper: Slip) -> dict[str, object]:
    known = language(paper.language)
    say = PlainSay(known)
    if paper.fate == "tested":
        heading = say("Tested ballot")
        lines = [
            say("This ballot was opened as a test. It is not counted."),
            say("Look it up by this code: the public record shows it with all the choices that you saw."),
        ]
    else:
        heading = say("Your tracking code")
        lines = [
            say("This slip is yours. Take it home."),
            say("With this code you can see that your encrypted ballot is in the public record, unchanged."),
            say("The code does not show how you voted, to you or to anyone."),
        ]
    if paper.site:
        lines.append(say("Look it up at {site}", site=paper.site))
    return {
        "kind": "slip",
        "language": known.code,
        "direction": known.direction,
        "heading": heading,
        "election": paper.election,
        "label": say("Tracking code"),
        "words": code_lines(paper.words),
        "qr": segno_document(paper.words),
        "lines": lines,
        "strong": True,
    }


def segno_document(words: str) -> str:
    """The QR code of a tracking code as a whole SVG document."""
    return qr_svg(words).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
