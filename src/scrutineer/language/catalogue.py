"""Reading a catalogue of translations as a translator edits it: a gettext file (.po), UTF-8, entries parted by empty lines.

Every process that speaks a language reads its catalogue when it starts. So it is read here, in a few milliseconds, and not
compiled to another form that would have to be made, shipped and kept in step.
"""

import gettext
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from scrutineer.errors import UsageError

_FIELD: Final = re.compile(r'(msgid|msgid_plural|msgstr|msgstr\[\d\]) "((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
_PLURAL: Final = re.compile(r"^Plural-Forms:.*\bplural=([^;]+);", re.MULTILINE)
_MEANT: Final = {"n": "\n", "t": "\t"}
"""Letters that stand for another character after a backslash; what is no letter stands for itself."""


class Catalogue(gettext.NullTranslations):
    """The messages of one language. What is not translated, or is marked as doubtful, is said in English."""

    def __init__(self, said: Mapping[str, str], plurals: Mapping[str, tuple[str, ...]], form: Callable[[int], int]) -> None:
        """`said` are messages, `plurals` the forms of those that depend on a number, `form` says which one a number takes."""
        super().__init__()
        self._said = said
        self._plurals = plurals
        self._form = form

    def gettext(self, message: str) -> str:
        """A message; one that elsewhere depends on a number is said as of one."""
        return self._said.get(message) or self._of(message, 1) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """A message in the form for a number; `msgid1` and `msgid2` are the English ones, for one and for several."""
        return self._of(msgid1, n) or super().ngettext(msgid1, msgid2, n)

    def _of(self, message: str, n: int) -> str:
        forms, form = self._plurals.get(message, ()), self._form(n)
        return forms[form] if form < len(forms) else ""


def read_catalogue(data: bytes, name: str) -> Catalogue:
    """Read a catalogue; `name` is what errors call it. Raises UsageError for one that is written otherwise than ours are."""
    said: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    try:
        for entry in _entries(data.decode()):
            match list(entry):
                case ["msgid", "msgstr"]:
                    said[entry["msgid"]] = entry["msgstr"]
                case ["msgid", "msgid_plural", _, *_]:
                    message, _, *forms = entry.values()
                    plurals[message] = tuple(forms)
                case fields:
                    raise ValueError(f"an entry has {' and '.join(fields)} alone")
        rule = _PLURAL.search(said.pop("", ""))
        return Catalogue(said, plurals, gettext.c2py(rule[1] if rule is not None else ""))
    except ValueError as error:
        raise UsageError(f"{name} cannot be read ({error}): write it as `make catalogues` does") from error


def _entries(text: str) -> Iterator[dict[str, str]]:
    """The entries that are not marked as doubtful, each as its fields in their order. Raises ValueError."""
    # A long text goes on from one line to the next; without the quotation marks between them it is one line.
    for entry in text.replace('"\n"', "").split("\n\n"):
        fields: dict[str, str] = {}
        doubtful = False
        for line in entry.split("\n"):
            if line.startswith("#") or not line:
                doubtful |= line.startswith("#, ") and "fuzzy" in line
                continue
            field = _FIELD.fullmatch(line)
            if field is None or field[1] in fields:
                raise ValueError(f"there is no place for the line {line!r}")
            fields[field[1]] = _ESCAPED.sub(_meant, field[2]) if "\\" in field[2] else field[2]
        if fields and not doubtful:
            yield fields


def _meant(escaped: re.Match[str]) -> str:
    return _MEANT.get(escaped[1], escaped[1])
