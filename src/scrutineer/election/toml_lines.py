"""On which line of a TOML file each key stands, which the standard library's reader does not tell.

The scanner walks over text that `tomllib` has accepted already, so it need not judge it; it only keeps count of lines.
"""

import tomllib
from collections.abc import Iterator
from typing import Any, Final

KeyPath = tuple[str | int, ...]
"""Keys and positions from the top, such as ('contest', 0, 'option', 1, 'id')."""

_CLOSING: Final = {"[": "]", "{": "}"}
_BARE_END: Final = frozenset(" \t\r\n=.#]")


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) on which every table, array element and key of a valid TOML text stands."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[KeyPath, int] = {}
        self._elements: dict[KeyPath, int] = {}
        """For each array of tables, the position of its last element."""

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank():
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _peek(self, ahead: int = 0) -> str:
        return self._text[self._at + ahead : self._at + ahead + 1]

    def _advance(self, count: int = 1) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _skip_blank(self) -> bool:
        """Move to the next sign that is no white space, line end or comment; whether there is one."""
        while here := self._peek():
            if here == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif here in " \t\r\n":
                self._advance()
            else:
                return True
        return False

    def _header(self) -> KeyPath:
        line = self._line
        double = self._peek(1) == "["
        self._advance(2 if double else 1)
        *above, last = self._keys()
        self._skip_blank()
        self._advance(2 if double else 1)
        path = self._resolve(tuple(above))
        path = (*path, last)
        if double:
            position = self._elements.get(path, -1) + 1
            self._elements[path] = position
            self._lines.setdefault(path, line)
            path = (*path, position)
        elif path in self._elements:
            path = (*path, self._elements[path])
        self._lines.setdefault(path, line)
        return path

    def _resolve(self, keys: tuple[str, ...]) -> KeyPath:
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._elements:
                path = (*path, self._elements[path])
        return path

    def _keys(self) -> list[str]:
        """A dotted key, up to what follows it."""
        keys: list[str] = []
        while True:
            self._skip_blank()
            if self._peek() in ("'", '"'):
                start = self._at
                self._string()
                keys.append(_unquote(self._text[start : self._at]))
            else:
                start = self._at
                while self._peek() and self._peek() not in _BARE_END:
                    self._at += 1
                keys.append(self._text[start : self._at])
            self._skip_blank()
            if self._peek() != ".":
                return keys
            self._advance()

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        path = table
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._skip_blank()
        self._advance()  # the equals sign
        self._skip_blank()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        here = self._peek()
        if here in ("'", '"'):
            self._string()
        elif here == "[":
            for position in self._items("["):
                self._lines.setdefault((*path, position), self._line)
                self._value((*path, position))
        elif here == "{":
            for _ in self._items("{"):
                self._pair(path)
        else:
            while self._peek() and self._peek() not in ",]}\n#":
                self._at += 1

    def _items(self, opening: str) -> Iterator[int]:
        """Stop before each item of an array or inline table, and behind it at the end."""
        self._advance()
        position = 0
        while self._skip_blank():
            if self._peek() == _CLOSING[opening]:
                self._advance()
                return
            if self._peek() == ",":
                self._advance()
                continue
            yield position
            position += 1

    def _string(self) -> None:
        quote = self._peek()
        if self._text.startswith(quote * 3, self._at):
            self._advance(3)
            while self._peek() and not self._text.startswith(quote * 3, self._at):
                self._advance(2 if quote == '"' and self._peek() == "\\" else 1)
            self._advance(3)
            while self._peek() == quote:  # up to two quotation marks may stand right before the closing ones
                self._advance()
            return
        self._advance()
        while self._peek() and self._peek() != quote:
            self._advance(2 if quote == '"' and self._peek() == "\\" else 1)
        self._advance()


def _unquote(quoted: str) -> str:
    parsed: dict[str, Any] = tomllib.loads(f"key = {quoted}")
    return str(parsed["key"])
