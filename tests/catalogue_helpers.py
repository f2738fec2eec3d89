"""The script that writes the catalogues, loaded as a module, and what a message holds."""

import importlib.util
import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from string import Formatter
from types import ModuleType

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from scrutineer.language import Language
from scrutineer.language.catalogue import read_catalogue

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "write_catalogues.py"


@cache
def script() -> ModuleType:
    """`docs/write_catalogues.py`."""
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[SCRIPT.stem] = module
    spec.loader.exec_module(module)
    return module


@cache
def catalogue(code: str) -> Catalog:
    """The catalogue of a language."""
    return read_po(BytesIO((script().CATALOGUES / f"{code}.po").read_bytes()), locale=code)


def placeholders(message: str) -> set[str]:
    """The names in braces of a message; nothing but a name may stand there."""
    found = set()
    for _text, name, layout, conversion in Formatter().parse(message):
        if name is not None:
            assert name.isidentifier(), f"{message!r}: {{{name}}} is no name"
            assert not layout, f"{message!r}: {{{name}}} says how it is to be formatted"
            assert conversion is None, f"{message!r}: {{{name}}} is converted"
            found.add(name)
    return found


def speaking(code: str, entries: str) -> Language:
    """A language with a catalogue of its own, given as PO text without a head."""
    known = Language(code)
    head = (script().CATALOGUES / f"{code}.po").read_text(encoding="utf-8").partition("\n\n")[0]
    known.__dict__["catalogue"] = read_catalogue(f"{head}\n\n{entries}".encode(), f"{code}.po")
    return known
