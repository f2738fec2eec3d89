"""The page on which auditors enter what they see, on a telephone and without a network: one file that needs nothing beside it.

Style and script stand in the page itself, and its policy names both by their hashes: nothing else runs, and nothing is loaded or
sent. What is entered leaves the browser only as a file, in the canonical form of the rows that `entry_table.read_entries` reads.
"""

import base64
import hashlib
from importlib.resources import files
from typing import Final

from markupsafe import Markup

from scrutineer.audits.fieldwork.work import FieldWork
from scrutineer.design import environment
from scrutineer.design.files import asset
from scrutineer.language import HtmlSay, Language, language
from scrutineer.statements.fields import MAX_TEXT_LENGTH
from scrutineer.statements.tally_sheet import MAX_COUNT

PAGE_FILE: Final = "index.html"
_ROOM: Final = "scrutineer.audits.fieldwork"


def entry_page(work: FieldWork, spoken: Language | None = None) -> bytes:
    """The page for what was drawn, in English unless another language is asked for. It holds no reported figure."""
    style = asset("scrutineer.design", "style.css").data.decode() + _own("enter.css")
    script = _own("enter.js")
    icon = base64.b64encode(asset("scrutineer.design", "icon.svg").data).decode()
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = environment(_ROOM).get_template("enter.html")
    text = page.render(
        say=HtmlSay(spoken or language("en")),
        policy=policy,
        style=Markup(style),  # noqa: S704 (the program's own style sheet)
        script=Markup(script),  # noqa: S704 (the program's own script)
        icon=icon,
        work=work,
        data=_data(work),
    )
    return text.encode()


def _data(work: FieldWork) -> dict[str, object]:
    contests = work.contests()
    places = {contest.id: place for place, contest in enumerate(contests)}
    return {
        "audit": work.audit,
        "plan": work.plan_prefix,
        "byBox": work.by_box,
        "most": MAX_COUNT,
        "longestNote": MAX_TEXT_LENGTH // 2,
        "contests": [
            {
                "id": contest.id,
                "title": contest.title,
                "ranked": contest.rule == "ranked",
                "choices": contest.max_choices,
                "options": [[option.id, option.name] for option in contest.options],
            }
            for contest in contests
        ],
        "boxes": [
            {
                "name": box.name,
                "way": " › ".join(box.way),
                "cards": list(box.positions),
                "contests": [places[contest.id] for contest in box.contests],
            }
            for box in work.boxes
        ],
    }


def _own(name: str) -> str:
    return files(_ROOM).joinpath("assets", name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a policy names what stands in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
