"""The page that a server shows where a site has no file: in all of its languages, as nobody knows which one was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from scrutineer.language import Language
from scrutineer.portal.formats import MISSING_PAGE, SiteFile
from scrutineer.portal.pages import Pages


@dataclass(frozen=True, slots=True)
class Missing:
    """What is said in one language, and where its pages begin (from the root)."""

    language: Language
    title: Markup
    text: Markup
    find: Markup
    result: Markup
    home: str


def missing_page(pages: Pages) -> Iterator[SiteFile]:
    """`404.html`, at the root of the site alone."""
    if pages.number:
        return
    languages = [Pages(pages.view, number) for number in range(len(pages.view.record.options.languages))]
    own, *others = [_missing(other) for other in languages]
    yield pages.render("missing.html", MISSING_PAGE, own.title, own=own, others=others)


def _missing(pages: Pages) -> Missing:
    say = pages.say
    return Missing(
        pages.language,
        say("There is no page here"),
        say("Nothing is published at this address. It may be mistyped, or something may have been left out where it was copied."),
        say("Find a station"),
        say("Result"),
        f"/{pages.prefix}",
    )
