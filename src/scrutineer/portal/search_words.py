"""How names are compared in the search: without case, accents, marks and signs, the same here and in search.js.

Both take a text apart (NFKD), drop all marks, take small letters, and replace the few letters that this leaves different from
how people type them. What is neither letter nor digit separates words. The letters travel to the script in the index, so that
they stand in one place.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

LETTERS: Final = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "ŧ": "t",
    "ŋ": "n",
    "ı": "i",
    "ς": "σ",
    "ى": "ي",
    "ی": "ي",
    "ة": "ه",
    "ک": "ك",
    "\u0640": "",
    **{chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)},
}
"""Letters that people write in one way and type in another, by the way in which they are written."""

_TABLE: Final = str.maketrans(LETTERS)
_SIGNS: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """A name or query as it is compared: words with one space between them."""
    if text.isascii():
        return _SIGNS.sub(" ", text.lower()).strip()
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign)[0] != "M")
    plain = bare.lower().translate(_TABLE)
    return " ".join("".join(sign if unicodedata.category(sign)[0] in "LN" else " " for sign in plain).split())
