"""Identifiers for units that a publisher only names: short, readable, the same each time, never the same for two units."""

import functools
import hashlib
import re
import unicodedata
from typing import Final

from scrutineer.election.contests import MAX_ID_LENGTH, MAX_NAME_LENGTH

_CLEAN: Final = re.compile(r"[A-Za-z0-9_-]+")
_UNCLEAN: Final = re.compile(r"[^A-Za-z0-9_]+")
_READABLE: Final = 48  # characters; longer identifiers are cut and end in a hash
_CYRILLIC: Final = "а-a б-b в-v г-g д-d е-e ё-yo ж-zh з-z и-i й-y к-k л-l м-m н-n о-o п-p р-r с-s т-t у-u ф-f х-kh ц-ts ч-ch ш-sh щ-shch ъ- ы-y ь- э-e ю-yu я-ya і-i ї-yi є-ye ґ-g"  # fmt: skip # noqa: E501
_LATIN: Final = "ł-l ø-o đ-d ð-d þ-th ß-ss æ-ae œ-oe ı-i"
_LETTERS: Final = str.maketrans(
    {
        form(letter): latin.capitalize() if form is str.upper else latin
        for pair in f"{_CYRILLIC} {_LATIN}".split(" ")
        for letter, _, latin in [pair.partition("-")]
        for form in (str.lower, str.upper)
        if len(form(letter)) == 1
    }
)


@functools.lru_cache(maxsize=1 << 16)
def slug(text: str) -> str:
    """A text as it can stand in an identifier: Latin letters, digits, '_' and '-'. Empty where nothing of it can."""
    if _CLEAN.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).translate(_LETTERS))
    return _UNCLEAN.sub("-", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip("-")


def clean_name(text: str, otherwise: str) -> str:
    """A name as publishers write it, with single spaces and without control characters; `otherwise` where nothing is left."""
    name = " ".join(text.split())
    if not name.isprintable():
        name = "".join(sign for sign in name if sign.isprintable())
    return name[:MAX_NAME_LENGTH].strip() or otherwise


class UnitIds:
    """Gives each unit its identifier. A unit is known by its key, the cells it was given; two keys never share an identifier."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, ...]] = {}

    def give(self, above: str, cells: tuple[str, ...], key: tuple[str, ...]) -> str:
        """The identifier for cells below a unit (`above` may be empty), made unique by a hash of the key where it must be."""
        own = slug(cells[0]) if len(cells) == 1 else "-".join(filter(None, map(slug, cells)))
        wanted = f"{above}.{own}" if above else own
        if not own:
            wanted = f"{above}.unit" if above else "unit"
        elif len(wanted) <= _READABLE and self._keys.setdefault(wanted, key) == key:
            return wanted
        digest = hashlib.sha256("\x1f".join(key).encode("utf-8", "surrogatepass")).hexdigest()
        stem = (wanted if len(wanted) <= _READABLE else own)[:_READABLE].rstrip("-.")
        for length in (8, MAX_ID_LENGTH - _READABLE - 1):
            hashed = f"{stem}.{digest[:length]}"
            if self._keys.setdefault(hashed, key) == key:
                break
        return hashed
