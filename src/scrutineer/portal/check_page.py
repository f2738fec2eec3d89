"""How anyone can check the site, in commands: all of it, the files alone, and one sheet with its receipt."""

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.witness_words import witness_sentences

RECEIPT_CHECK: Final = """\
from pathlib import Path
from scrutineer.log import LogVerifier, verify_entry_receipt
from scrutineer.statements import parse_statement

definition = parse_statement(Path("definition/definition.cose").read_bytes()).payload
log = LogVerifier.from_vkeys(*definition.log.keys)
print(verify_entry_receipt(Path("sheet.receipt").read_bytes(), Path("sheet.cose").read_bytes(), log))
"""


def code(text: str) -> Markup:
    """A word for machines, in HTML."""
    return Markup("<code>{}</code>").format(text)


def head_facts(pages: Pages) -> list[tuple[str, str]]:
    """What everything on the site is computed from: the definition, the head of the log and its witnesses."""
    record, say = pages.view.record, pages.say
    return [
        (say("Definition"), code(record.election.hash.hex())),
        (say("Log"), code(record.verifier.origin)),
        (say("Entries"), say.number(record.head.size)),
        (say("Root"), code(record.head.root.hex())),
        (say("Signed on"), say.time(record.head.time_ms // 1000)),
        (say("Witnesses"), witness_sentences(pages)),
    ]


def check_page(pages: Pages) -> Iterator[SiteFile]:
    """`check.html`."""
    view = pages.view
    yield pages.render(
        "check.html",
        "check.html",
        pages.say("Check this count"),
        definition=view.election.hash.hex(),
        facts=head_facts(pages),
        receipt_check=RECEIPT_CHECK,
        pending=view.pending is not None,
        code=code,
    )
