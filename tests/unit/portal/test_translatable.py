"""Every word of pages and pictures can be said in another language: only names, figures and code are left as they are."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from markupsafe import escape

from full_election import full_election
from scrutineer.language import LANGUAGES, HtmlSay, PlainSay, language
from scrutineer.portal import SiteOptions
from scrutineer.portal.view import View

HUSHED = "es"
SPOKEN = ("alt", "aria-label", "placeholder", "title", "summary", "content")
MONTHS = "|".join(
    re.escape(name)
    for context in ("format", "stand-alone")
    for width in ("abbreviated", "wide")
    for name in language(HUSHED).locale.months[context][width].values()
)
TIME = re.compile(rf"\b\d+ (?:de )?(?:{MONTHS})\b(?: (?:de )?\d{{4}})?|UTC")


def hush(said: str) -> str:
    """A message with dots instead of letters; places for values stay."""
    return re.sub(r"\{\w+\}|[^\W\d_]", lambda found: found[0] if found[0].startswith("{") else "·", said)


def spoken(page: str) -> Iterator[str]:
    """What a page says, without names, code and what only machines read."""
    page = re.sub(r"<(script|style|code|pre|bdi)\b.*?</\1>", "", page, flags=re.DOTALL)
    for attribute in SPOKEN:
        yield from re.findall(rf'\s{attribute}="([^"]*)"', re.sub(r"<meta[^>]*>|<svg xmlns[^>]*>", "", page))
    yield from re.sub(r"<[^>]*>", "\n", page).split("\n")


def left(text: str, names: list[str]) -> str:
    """What is left of a text without the names, times, placeholders of scripts, and paths and encoded bytes."""
    text = TIME.sub("", unescape(text))
    for name in names:
        text = text.replace(name, "")
    text = re.sub(r"\{\w+\}", "", text)
    return " ".join(word for word in text.split() if not re.search(r"[/.=+]\w|\w{40}|^[\w-]*/$", word))


def test_every_word_on_every_page_can_be_said_in_another_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HtmlSay, "_ready", lambda say, said: str(escape(hush(said) if say.language.code == HUSHED else said)))
    monkeypatch.setattr(PlainSay, "_ready", lambda say, said: hush(said) if say.language.code == HUSHED else said)
    published = full_election()[-1].with_options(SiteOptions(languages=("en", HUSHED)))
    election = View(published.record).election
    names = [election.definition.name, election.definition.timezone, *election.units.names]
    names += [text for contest in election.contests for text in (contest.title, *(option.name for option in contest.options))]
    names += [language(code).name for code in LANGUAGES]
    # Long names are shortened in pictures.
    names += [f"{name[: length - 1]}…" for name in names for length in (20, 28, 48) if len(name) > length]
    names.sort(key=len, reverse=True)
    unsaid: dict[str, str] = {}
    for path, data in published.files().items():
        if path.startswith(f"{HUSHED}/") and path.endswith((".html", ".svg")):
            for text in spoken(data.decode()):
                if re.search(r"[^\W\d_]{3}", left(text, names).replace("manifest", "")):
                    unsaid.setdefault(text.strip()[:120], path)
    assert unsaid == {}
