"""What pages and commands say, in the reader's language: messages, numbers, shares, dates and times.

Public face: `Language` and `language` (languages.py), `Say` with `PlainSay` and `HtmlSay` (say.py), `ENGLISH` and `msg`.
Every message in the code is English and is its own key; `catalogues/<code>.po` are gettext catalogues that a translator edits.
A message holds values in braces, never HTML. Two functions mark messages for extraction: `say("...")` and `say.several("...",
"...", n)`; a message that is said later, from a table of constants, is marked with `msg("...")`. What is worked out once and said
in several languages is a `Phrase` (phrase.py), which keeps its values; values are numbers, names and what is `Sayable`.
"""

from scrutineer.language.languages import LANGUAGES, Language, language
from scrutineer.language.phrase import Phrase, Quantity, Row, Sayable
from scrutineer.language.say import ENGLISH, HtmlSay, PlainSay, Say, has_date, msg

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "HtmlSay",
    "Language",
    "Phrase",
    "PlainSay",
    "Quantity",
    "Row",
    "Say",
    "Sayable",
    "has_date",
    "language",
    "msg",
]
