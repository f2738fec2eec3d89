"""The papers of an audit as PDF: what to fetch, labels for boxes, and blind sheets on which people write what they see.

No paper shows a reported figure. The code on a sheet names audit, plan and box, so that a photograph finds its place. The bytes
depend on the work alone.
"""

import io
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import segno

from scrutineer.audits.fieldwork.work import DrawnBox, FieldWork, PaperCode
from scrutineer.design.typesetting import typeset
from scrutineer.election import Contest
from scrutineer.errors import AuditError, TypesettingError

_TEMPLATE: Final = "papers.typ"
_WHOLE_CARD: Final = 24  # lines of a card that stay together on a page
_SHORT_CONTEST: Final = 30  # options whose contest stays together on a page
_SIZES: Final = ((16, 100), (36, 70), (80, 50))  # names of boxes so wide stand in letters of so many percent
_SMALLEST: Final = 36
_SHOWN_NUMBER: Final = 12  # leading digits of a draw's number that stand on a label


def retrieval_list(work: FieldWork) -> bytes:
    """Every box once, in the order of the places, with the cards to fetch from it and room for a signature.

    Raises AuditError where no paper can be made; so do the others.
    """
    rows = [
        {
            "box": box.name,
            "way": " › ".join(box.way),
            "cards": "whole box" if work.by_box else _listed(box.positions),
            "number": "" if work.by_box else str(len(box.positions)),
        }
        for box in work.boxes
    ]
    return _compile("list", work, {"rows": rows, "cards": sum(len(box.positions) for box in work.boxes)})


def box_labels(work: FieldWork) -> bytes:
    """A label for each box: its name in large letters, the audit, and the draws that it was drawn by."""
    labels = [
        _headed(work, box)
        | {
            "draws": [[str(draw.place), draw.number[:_SHOWN_NUMBER]] for draw in box.draws[:8]],
            "more": max(0, len(box.draws) - 8),
            "cards": "" if work.by_box else str(len(box.positions)),
        }
        for box in work.boxes
    ]
    return _compile("labels", work, {"labels": labels})


def tally_sheets(work: FieldWork) -> bytes:
    """A blind sheet for each box, on which a whole box is counted: questions, options, and empty places for numbers.

    Raises AuditError where single cards were drawn.
    """
    if not work.by_box:
        raise AuditError("single cards are drawn in this audit: print card sheets, not sheets for whole boxes")
    sheets = [_headed(work, box) | {"contests": [_contest(contest) for contest in box.contests]} for box in work.boxes]
    return _compile("sheets", work, {"sheets": sheets})


def card_sheets(work: FieldWork) -> bytes:
    """Blind forms for drawn cards: place in the box, questions, and empty marks. Raises AuditError where boxes were drawn."""
    if work.by_box:
        raise AuditError("whole boxes are drawn in this audit: print sheets for boxes, not card sheets")
    cards = []
    for box, position in work.cards():
        lines = sum(len(contest.options) + 4 for contest in box.contests)
        cards.append(
            _headed(work, box, position)
            | {
                "position": str(position),
                "contests": [_contest(contest) for contest in box.contests],
                "whole": lines <= _WHOLE_CARD,
            }
        )
    return _compile("cards", work, {"cards": cards})


PAPERS: Final[Mapping[str, Callable[[FieldWork], bytes]]] = {
    "list": retrieval_list,
    "labels": box_labels,
    "sheets": lambda work: tally_sheets(work) if work.by_box else card_sheets(work),
}
"""What can be printed, by the name of its file without its ending."""


def _headed(work: FieldWork, box: DrawnBox, position: int = 0) -> dict[str, object]:
    return {
        "box": box.name,
        "scale": next((size for most, size in _SIZES if _width(box.name) <= most), _SMALLEST),
        "way": " › ".join(box.way),
        "code": _drawn(work.code(box.name, position)),
    }


def _contest(contest: Contest) -> dict[str, object]:
    return {
        "title": contest.title,
        "options": [option.name for option in contest.options],
        "ranked": contest.rule == "ranked",
        "most": contest.max_choices,
        "whole": len(contest.options) <= _SHORT_CONTEST,
    }


def _width(name: str) -> int:
    """How many narrow letters a name is wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)


def _listed(positions: tuple[int, ...]) -> str:
    return ", ".join(map(str, positions))


def _drawn(code: PaperCode) -> str:
    made = segno.make(code.text().encode(), error="m", micro=False, boost_error=False)
    out = io.BytesIO()
    made.save(out, kind="svg", xmldecl=False, svgns=True, border=2, omitsize=True, nl=False)
    return out.getvalue().decode()


def _compile(kind: str, work: FieldWork, content: dict[str, object]) -> bytes:
    head = {
        "kind": kind,
        "election": work.election,
        "provenance": work.provenance,
        "audit": work.audit,
        "title": work.title,
        "plan": work.plan_prefix,
        "boxes": len(work.boxes),
        "draws": work.draws,
    }
    if not work.boxes:
        raise AuditError(
            "nothing is drawn, so there is nothing to fetch: draw first; where only a full count can confirm, count every box"
        )
    try:
        return typeset("scrutineer.audits.fieldwork", _TEMPLATE, head | content)
    except TypesettingError as error:
        raise AuditError(f"the papers cannot be drawn ({error}): write sheets by hand after the list of what is drawn") from error
