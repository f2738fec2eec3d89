"""The catalogue of rules, with the severity that each has in this election and how many sheets it was found at."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scrutineer.count import RULES
from scrutineer.election.definition import Severity
from scrutineer.portal import words
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    wording: str
    severity: Severity
    label: str
    found: int


def rules_page(pages: Pages) -> Iterator[SiteFile]:
    """`rules.html`."""
    count, say = pages.view.count, pages.say
    rules = []
    for position, rule in enumerate(RULES):
        severity = count.book.severities[position]
        bit = np.uint32(1 << position)
        found = sum(int(np.count_nonzero(state.flags & bit)) for state in count.contests)
        found += sum(1 for stray in count.strays if stray.flag >> position & 1)
        label = say.later(words.SEVERITY_WORDS[severity])
        rules.append(_Row(rule.id, say.later(rule.wording), severity, label, found))
    yield pages.render("rules.html", "rules.html", say("Rules"), rules=rules)
