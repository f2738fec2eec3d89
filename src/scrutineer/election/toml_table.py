"""Reading TOML that people write: every key by its type, every finding with its line, unknown keys with the nearest known one."""

import datetime
import re
import stat
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from scrutineer.election.finding import Finding, did_you_mean
from scrutineer.election.toml_lines import KeyPath, key_lines

MAX_TOML_SIZE: Final = 4 * 1024 * 1024  # bytes

_TOML_LINE: Final = re.compile(r"\(at line (\d+)")
_TYPE_NAMES: Final[dict[type, str]] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
    float: "a decimal number",
    datetime.date: "a date",
    datetime.datetime: "a date and time",
    datetime.time: "a time",
}


class Table:
    """One table of a TOML file. Reading a key notes a finding where its value does not fit, and goes on."""

    def __init__(
        self, file: str, values: dict[str, Any], lines: dict[KeyPath, int], findings: list[Finding], path: KeyPath = ()
    ) -> None:
        self.values = values
        self._file = file
        self._lines = lines
        self._findings = findings
        self._path = path
        self._asked: set[str] = set()
        self._within: dict[str, list[Table]] = {}

    def line(self, *keys: str | int) -> int:
        """The line on which a key of this table stands, or the table where it has no such key."""
        path = (*self._path, *keys)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def field(self, *keys: str | int) -> str:
        """How findings name a key of this table, such as 'contest[1].option[2].id' (positions count from 1)."""
        text = ""
        for key in (*self._path, *keys):
            text += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if text else key
        return text

    def find(self, message: str, *keys: str | int) -> None:
        """Note a finding about a key of this table, or about the table itself."""
        self._findings.append(Finding(self._file, self.line(*keys), self.field(*keys), message))

    @property
    def finding_count(self) -> int:
        """How many findings there are by now, in the whole file."""
        return len(self._findings)

    def refuse(self, key: str, known: Collection[str]) -> None:
        """Note that a key is not known, with the nearest one that is."""
        self.find(f"no such key; {did_you_mean(key, known)}", key)

    def _take(self, key: str, kind: type, *, required: bool, example: str) -> Any:
        self._asked.add(key)
        value = self.values.get(key)
        if value is None:
            if required:
                self.find(f"missing; write {key} = {example}", key)
            return None
        if type(value) is not kind:
            is_now = _TYPE_NAMES.get(type(value), type(value).__name__)
            self.find(f"{value!r} is {is_now}; write {_TYPE_NAMES[kind]}, such as {key} = {example}", key)
            return None
        return value

    def text(self, key: str, default: str = "", *, required: bool = False, example: str = '"…"') -> str:
        """A text; the default where it is missing or wrong."""
        value = self._take(key, str, required=required, example=example)
        if required and value is not None and not value.strip():
            self.find(f"empty; write {key} = {example}", key)
        return default if value is None else str(value)

    def choice(self, key: str, choices: Collection[str], default: str = "", *, required: bool = False) -> str:
        """One of several words."""
        example = f'"{default or next(iter(choices))}"'
        value = self._take(key, str, required=required, example=example)
        if value is None:
            return default
        if value not in choices:
            self.find(f"{value!r} is not known here; {did_you_mean(value, choices)}", key)
            return default
        return str(value)

    def integer(self, key: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        value = self._take(key, int, required=False, example=str(default))
        if value is None:
            return default
        if not lowest <= value <= highest:
            self.find(f"{value} is out of range; write a whole number from {lowest} to {highest}", key)
            return default
        return int(value)

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._take(key, bool, required=False, example="true")
        return default if value is None else bool(value)

    def date(self, key: str) -> str:
        """A date, as text or as TOML's own date; empty where it is missing or wrong."""
        value = self.values.get(key)
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            self._asked.add(key)
            return value.isoformat()
        text = self.text(key, required=True, example='"2025-06-01"')
        try:
            if text and datetime.date.fromisoformat(text).isoformat() == text:
                return text
        except ValueError:
            pass
        if text:
            self.find(f"{text!r} is not a date; write it as YYYY-MM-DD", key)
        return ""

    def texts(self, key: str, default: tuple[str, ...] = (), *, required: bool = False, example: str = '"…"') -> tuple[str, ...]:
        """A text, or a list of texts."""
        self._asked.add(key)
        value = self.values.get(key)
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        if value is not None:
            self.find(f"{value!r} cannot stand here; write a text or a list of texts, such as {key} = {example}", key)
        elif required:
            self.find(f"missing; write {key} = {example}", key)
        return default

    def table(self, key: str, *, required: bool = False) -> "Table":
        """A table within; an empty one where it is missing or wrong."""
        value = self._take(key, dict, required=False, example=f"a section [{self.field(key)}]")
        if value is None and required and key not in self.values:
            self.find(f"missing; add a section [{self.field(key)}]", key)
        return Table(self._file, value or {}, self._lines, self._findings, (*self._path, key))

    def tables(self, key: str) -> list["Table"]:
        """An array of tables, the same ones each time; empty where it is missing or wrong."""
        if key in self._within:
            return self._within[key]
        self._asked.add(key)
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.find(f"not a list of tables; write a section [[{key}]] for each", key)
            value = []
        self._within[key] = [
            Table(self._file, item, self._lines, self._findings, (*self._path, key, number)) for number, item in enumerate(value)
        ]
        return self._within[key]

    def free_keys(self) -> list[str]:
        """Every key that was given, for tables whose keys are free; none of them is refused afterwards."""
        self._asked.update(self.values)
        return list(self.values)

    def refuse_others(self) -> None:
        """Note every key that was not asked for, with the nearest one that was."""
        for key in self.values:
            if key not in self._asked:
                self.refuse(key, self._asked)


def read_toml(path: Path, findings: list[Finding]) -> Table | None:
    """Read a TOML file. None, with the finding noted, where it cannot be read at all."""
    data = read_bounded(path, MAX_TOML_SIZE, findings)
    return None if data is None else parse_toml(data, path.name, findings)


def parse_toml(data: bytes, file: str, findings: list[Finding]) -> Table | None:
    """Read TOML bytes. None, with the finding noted, where they are not TOML in UTF-8."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        findings.append(Finding(file, line, "", "not UTF-8; save the file as UTF-8"))
        return None
    try:
        values = tomllib.loads(text)
        lines = key_lines(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        reason = str(error).partition(" (at ")[0] or "nested too deep"
        findings.append(Finding(file, line, "", f"not readable as TOML ({reason}); correct the line"))
        return None
    return Table(file, values, lines, findings)


def read_bounded(path: Path, limit: int, findings: list[Finding]) -> bytes | None:
    """Read a file of at most `limit` bytes. None, with the finding noted, where that cannot be done."""
    try:
        status = path.stat()
        # Opening a named pipe would wait for a writer, so what is not a file is refused before.
        if not stat.S_ISREG(status.st_mode):
            findings.append(Finding(path.name, 0, "", "not a regular file; put the file itself there"))
            return None
        with path.open("rb") as file:
            data = file.read(limit + 1) if status.st_size <= limit else b""
    except FileNotFoundError:
        findings.append(Finding(path.name, 0, "", f"there is no such file in {str(path.parent)!r}; create it"))
        return None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        findings.append(Finding(path.name, 0, "", f"{str(path)!r} cannot be read ({reason}); check the path and its permissions"))
        return None
    if len(data) > limit or status.st_size > limit:
        findings.append(Finding(path.name, 0, "", f"larger than {limit // 1024 // 1024} MB, which is the most; shorten it"))
        return None
    return data
