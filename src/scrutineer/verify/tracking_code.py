"""The code on a voter's slip, as voters type it."""

import re
from typing import Final

from scrutineer.ballots.confirmation import TRACKING_SIZE
from scrutineer.errors import UsageError

_WORD: Final = re.compile(r"[bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]")
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{24,64}")
_PAUSES: Final = re.compile(r"[\s,;./_·–—-]+")


def read_code(text: str) -> bytes:
    """The first 12 bytes of a confirmation code as a voter gives it: six words, hexadecimal digits, or an address that ends so.

    Raises UsageError that names the word that cannot be one.
    """
    bare = text.strip().rpartition("#")[2].lower()
    joined = _PAUSES.sub("", bare)
    if _HEXADECIMAL.fullmatch(joined) is not None:
        return bytes.fromhex(joined[: 2 * TRACKING_SIZE])
    words = [word for word in _PAUSES.split(bare) if word]
    wrong = next((word for word in words if _WORD.fullmatch(word) is None), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong[:40]!r} is not a word of a tracking code: each has five letters, such as 'lusab'; look at the slip"
        )
    if len(words) < TRACKING_SIZE // 2:
        raise UsageError(f"a tracking code has {TRACKING_SIZE // 2} words, and {len(words)} were given: give all of them")
    return b"".join(map(_bytes_of, words[: TRACKING_SIZE // 2]))


def _bytes_of(word: str) -> bytes:
    consonants, vowels = "bdfghjklmnprstvz", "aiou"
    number = consonants.index(word[0])
    for letter, of in zip(word[1:], (vowels, consonants, vowels, consonants), strict=True):
        number = number * len(of) + of.index(letter)
    return number.to_bytes(2, "big")
