"""The languages: their catalogues (gettext) and how their readers write numbers and dates (Unicode CLDR, through Babel)."""

import gettext
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Final, Literal

from babel import Locale

from scrutineer.errors import UsageError
from scrutineer.language.catalogue import read_catalogue

LANGUAGES: Final = ("en", "es", "fr", "pt", "ar")
"""Codes (BCP 47) of the languages that there are catalogues for; the messages themselves are English."""

_NAMES: Final = {"en": "English", "es": "Español", "fr": "Français", "pt": "Português", "ar": "العربية"}


@dataclass(frozen=True)
class Language:
    """One language. `code` is its BCP 47 tag."""

    code: str

    @property
    def name(self) -> str:
        """What its own readers call it."""
        return _NAMES[self.code]

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """The direction in which it is written."""
        return "rtl" if self.code == "ar" else "ltr"

    @cached_property
    def locale(self) -> Locale:
        """Its CLDR data."""
        return Locale.parse(self.code)

    @cached_property
    def catalogue(self) -> gettext.NullTranslations:
        """Its messages. A message without a translation is said in English, which is better than not at all."""
        if self.code == "en":
            return gettext.NullTranslations()
        name = f"catalogues/{self.code}.po"
        return read_catalogue(files("scrutineer.language").joinpath(name).read_bytes(), name)

    @cached_property
    def symbols(self) -> "Symbols":
        """The signs of its numbers."""
        symbols = self.locale.number_symbols[self.locale.default_numbering_system]
        # A percent pattern such as '#,##0 %' says whether a space stands between the figure and its sign, and on which side.
        before, after = re.split(r"[#,0.]+", self.locale.percent_formats[None].pattern, maxsplit=1)
        sign = symbols["percentSign"]
        return Symbols(
            group=symbols["group"],
            decimal=symbols["decimal"],
            plus=symbols["plusSign"],
            minus=symbols["minusSign"].replace("-", "\u2212"),
            percent=(before.replace("%", sign), after.replace("%", sign)),
        )


@dataclass(frozen=True, slots=True)
class Symbols:
    """The signs of a language's numbers."""

    group: str
    decimal: str
    plus: str
    minus: str
    percent: tuple[str, str]
    """What stands before and after the figure of a share."""


@cache
def language(code: str) -> Language:
    """A language by its code. Raises UsageError where there is no catalogue for it."""
    if code not in LANGUAGES:
        raise UsageError(f"there is no catalogue for the language {code!r}: choose one of {', '.join(LANGUAGES)}")
    return Language(code)
