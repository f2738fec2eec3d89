"""The catalogue of rules, with the severity that each has in this election and how many stations it was found at."""

from collections.abc import Iterator
from html import escape

import numpy as np

from scrutineer.count import RULES
from scrutineer.portal import words as say
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import mark
from scrutineer.portal.pages import Pages
from scrutineer.portal.text import number


def rules_page(pages: Pages) -> Iterator[SiteFile]:
    """`rules.html`."""
    view = pages.view
    rows = []
    for position, rule in enumerate(RULES):
        severity = view.count.book.severities[position]
        bit = np.uint32(1 << position)
        found = sum(int(np.count_nonzero(state.flags & bit)) for state in view.count.contests)
        found += sum(1 for stray in view.count.strays if stray.flag >> position & 1)
        rows.append(
            f'<tr id="{rule.id}"><th scope="row"><code>{rule.id}</code></th><td class="front">{escape(rule.wording)}</td>'
            f'<td class="state">{mark(severity, say.SEVERITY_WORDS[severity])}</td><td>{number(found)}</td></tr>\n'
        )
    content = (
        "<h1>Rules</h1>\n<p>Every sheet is held against these rules. A failed rule of the severity “Quarantine” keeps the "
        "sheet out of the totals until a signed decision clears it; a “Note” is shown beside it and changes nothing. Where a "
        "figure that a rule compares is unknown, the rule is silent: unknown is neither zero nor wrong.</p>\n"
        '<table class="list">\n<caption>Rules of this election</caption>\n<thead><tr><th scope="col">Rule</th>'
        '<th scope="col" class="front">What is said of a sheet</th>'
        '<th scope="col" class="state">Severity</th><th scope="col">Found</th></tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n</table>\n"
    )
    yield pages.plain("rules.html", "Rules", content)
