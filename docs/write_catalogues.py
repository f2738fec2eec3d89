"""Brings the catalogues of translations up to date with the messages of the code: `make catalogues`.

Messages are the literals in `say("...")`, `say.several("...", "...", n)`, `msg("...")`, `Phrase("...")` and
`Phrase.several("...", "...", n)`, and in templates `say("...")`, `several("...", "...", n)` and `msg("...")`. A catalogue keeps
its translations, gains the new messages without one, and loses what nobody says any more. Messages stand in the order of the
files that say them, without line numbers or dates, so that a catalogue changes only where the messages do.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from scrutineer.language import LANGUAGES

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "src" / "scrutineer"
CATALOGUES: Final = SOURCE / "language" / "catalogues"

PLURALS: Final = {
    # None, one, two, 3 to 10, 11 to 99, and hundreds: the order in which Arabic catalogues have them everywhere.
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
}
"""Plural forms of languages for which Babel has them in another order than catalogues do."""

_LITERALS: Final = {"say": 1, "msg": 1, "Phrase": 1, "several": 2}  # how many first arguments are messages
_OWN: Final = SOURCE / "language" / "say.py"  # says its own messages by calling itself


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands in the code; `many` where it depends on a number."""

    text: str
    many: str | None
    file: str
    """Relative to src."""
    line: int


class NotLiteralError(Exception):
    """A message that is not a literal cannot be translated: `say.later` says one that was marked with `msg`."""


def messages(source: Path = SOURCE) -> Iterator[Message]:
    """Every message of the code and of its templates, in the order of the files. Raises NotLiteralError."""
    for path in sorted(source.rglob("*.py")):
        yield from python_messages(path.read_text(encoding="utf-8"), path, source.parent)
    for path in sorted(source.rglob("templates/**/*.html")):
        yield from template_messages(path.read_text(encoding="utf-8"), path, source.parent)


def python_messages(text: str, path: Path, root: Path) -> Iterator[Message]:
    """The messages of a module."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        called = _called(call, own=path == _OWN)
        if called is not None:
            given = [argument.value if isinstance(argument, ast.Constant) else None for argument in call.args]
            yield _message(called, given, path, root, call.lineno)


def template_messages(text: str, path: Path, root: Path) -> Iterator[Message]:
    """The messages of a template."""
    for call in Environment(autoescape=True).parse(text).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in _LITERALS:
            given = [argument.value if isinstance(argument, nodes.Const) else None for argument in call.args]
            yield _message(call.node.name, given, path, root, call.lineno)


def updated(code: str, found: Sequence[Message], old: bytes) -> bytes:
    """A catalogue with exactly these messages, and of its translations those that still have one."""
    before = read_po(BytesIO(old), locale=code)
    after = Catalog(locale=code)
    for message in found:
        known = before.get(message.text)
        several = message.many is not None
        string: str | tuple[str, ...] = ("",) * after.num_plurals if several else ""
        if known is not None and not known.fuzzy:
            kept = known.string if isinstance(known.string, str) else tuple(known.string or ())
            if isinstance(kept, str) != several and (not several or len(kept) == len(string)):
                string = kept
        text: str | tuple[str, ...] = message.text if message.many is None else (message.text, message.many)
        entry = after.get(message.text)
        files = sorted({message.file, *(() if entry is None else (file for file, _ in entry.locations))})
        if entry is None:
            # A per cent sign is no place for a value.
            after.add(text, string, locations=[(file, 0) for file in files]).flags.discard("python-format")
        else:
            # A message that depends on a number somewhere has all its forms.
            entry.locations = [(file, 0) for file in files]
            if several and isinstance(entry.id, str):
                entry.id, entry.string = text, string
    written = BytesIO()
    write_po(written, after, width=120, omit_header=True, include_lineno=False)
    return _header(code, PLURALS.get(code, after.plural_forms)).encode() + written.getvalue()


def _called(call: ast.Call, *, own: bool) -> str | None:
    """What a call says, by the name of the function: 'say', 'msg' or 'several'."""
    match call.func:
        case ast.Name(id="self") if own:
            return "say"
        case ast.Name(id=name) if name in _LITERALS:
            return name
        case ast.Attribute(value=value, attr="say" | "several" as name) if not isinstance(value, ast.Call):
            # What is called of another call is `super()`.
            return name
    return None


def _message(called: str, given: Sequence[object], path: Path, root: Path, line: int) -> Message:
    texts = given[: _LITERALS[called]]
    if len(texts) < _LITERALS[called] or not all(isinstance(text, str) for text in texts):
        where = f"{path.relative_to(root)}:{line}"
        raise NotLiteralError(f"{where}: {called}() needs its message as a literal; say.later says what msg() marked elsewhere")
    first, many = str(texts[0]), str(texts[1]) if len(texts) > 1 else None
    return Message(first, many, path.relative_to(root).as_posix(), line)


def _header(code: str, plurals: str) -> str:
    fields = (
        f"Language: {code}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {plurals}",
    )
    lines = "\n".join(f'"{field}\\n"' for field in fields)
    about = f"# {Locale.parse(code).english_name}. Written by `make catalogues`; translations are for people to edit."
    return f'{about}\nmsgid ""\nmsgstr ""\n{lines}\n\n'


def main() -> None:
    """Write every catalogue again, and say what is left to translate."""
    found = list(messages())
    for code in LANGUAGES[1:]:
        path = CATALOGUES / f"{code}.po"
        old = path.read_bytes() if path.exists() else b""
        new = updated(code, found, old)
        if new != old:
            path.write_bytes(new)
        entries = [entry for entry in read_po(BytesIO(new), locale=code) if entry.id]
        empty = sum(not all(entry.string if isinstance(entry.string, tuple) else (entry.string,)) for entry in entries)
        sys.stdout.write(f"{code}: {len(entries)} messages, {empty} without a translation\n")


if __name__ == "__main__":
    try:
        main()
    except NotLiteralError as error:
        sys.exit(str(error))
