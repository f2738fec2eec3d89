"""How anyone can check the site, in commands: all of it, the files alone, and one sheet with its receipt."""

from collections.abc import Iterator
from html import escape
from typing import Final

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import facts
from scrutineer.portal.pages import Pages
from scrutineer.portal.text import number, time
from scrutineer.portal.witness_words import witness_sentences

RECEIPT_CHECK: Final = """\
from pathlib import Path
from scrutineer.log import LogVerifier, verify_entry_receipt
from scrutineer.statements import parse_statement

definition = parse_statement(Path("definition/definition.cose").read_bytes()).payload
log = LogVerifier.from_vkeys(*definition.log.keys)
print(verify_entry_receipt(Path("sheet.receipt").read_bytes(), Path("sheet.cose").read_bytes(), log))
"""

_PENDING: Final = '<a href="log/checkpoint.pending">the newer head that waits for its witnesses</a>, '


def check_page(pages: Pages) -> Iterator[SiteFile]:
    """`check.html`."""
    view = pages.view
    record = view.record
    digest = record.election.hash.hex()
    content = (
        "<h1>Check this count</h1>\n"
        "<p>Everything that anyone says about this election is a signed statement in one append-only log. Everything on "
        "this site is computed from that log. Whoever replays it gets the same files, byte for byte, or finds "
        "out which one differs.</p>\n"
        "<h2>Everything, with one command</h2>\n"
        f"<pre><code>scrutineer verify --definition {digest} </code><i>this folder or its address</i></pre>\n"
        "<p>It checks every signature, rebuilds the log’s root, replays the count, compares every published number and page, "
        "every bulletin and the certificate, and says PASS or exactly what is wrong. All that it takes on trust is "
        "the definition’s hash: compare it with what the authority, the parties and the newspapers printed.</p>\n"
        + facts(
            [
                ("Definition", f"<code>{digest}</code>"),
                ("Log", f"<code>{escape(record.verifier.origin)}</code>"),
                ("Entries", number(record.head.size)),
                ("Root", f"<code>{record.head.root.hex()}</code>"),
                ("Signed", time(record.head.time_ms // 1000)),
                ("Witnesses", witness_sentences(pages)),
            ]
        )
        + "<h2>The files, with tools that every system has</h2>\n"
        "<p>The manifest lists the SHA-256 hash of every file; run this in the site’s folder:</p>\n"
        "<pre><code>grep -E '^[0-9a-f]{64}  ' manifest | sha256sum --check --quiet</code></pre>\n"
        "<p>No output means that every file is as it was published.</p>\n"
        '<h2 id="one">One sheet</h2>\n'
        "<p>Copy the two blocks from the sheet’s page into <code>sheet.cose.b64</code> and <code>sheet.receipt.b64</code>. The "
        "statement’s hash must be the one on the page and in the table of stations:</p>\n"
        "<pre><code>base64 -d sheet.cose.b64 &gt; sheet.cose\nbase64 -d sheet.receipt.b64 &gt; sheet.receipt\n"
        "(printf '\\0'; cat sheet.cose) | sha256sum</code></pre>\n"
        "<p>The receipt proves that this sheet is in the log. It is a COSE receipt (RFC 9942), which other programs read as "
        "well. In the site’s folder, with Scrutineer installed:</p>\n"
        f"<pre><code>{escape(RECEIPT_CHECK)}</code></pre>\n"
        "<h2>The log</h2>\n"
        "<p>The log is published in the form of C2SP tlog-tiles and can be read by any program that knows it: "
        f'<a href="log/checkpoint">the signed checkpoint</a>, {_PENDING if view.pending else ""}'
        '<a href="log/head.json">the head that receipts are made from</a>, '
        '<a href="definition/definition.cose">the signed definition</a>, <a href="site.json">what this site shows</a>, '
        '<a href="manifest">the manifest</a>.</p>\n'
    )
    yield pages.plain("check.html", "Check this count", content)
