"""Papers as PDF: a template in Typst and what it shows, for one printer or another.

All words come from the caller; a template reads them as data, so that nothing in them is taken for markup. The bytes depend on
template and content alone (and on the fonts of the machine): no time, no number of a run.
"""

import json
import threading
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import typst

from scrutineer.errors import TypesettingError

_ONE_AT_A_TIME: Final = threading.Lock()
"""A compiler serves one thread at a time."""


def typeset(room: str, name: str, content: Mapping[str, object]) -> bytes:
    """The PDF that a file of the folder `templates` of a package, such as `scrutineer.station.voting`, makes of its content.

    The template finds the content as JSON in `sys.inputs.content`. Any thread may call. Raises TypesettingError, whose message
    is the cause alone: the caller says which paper is missing, and what to do without it.
    """
    inputs = {"content": json.dumps(content, ensure_ascii=False)}
    try:
        with _ONE_AT_A_TIME:
            made = _compiler().compile(input=_template(room, name), format="pdf", sys_inputs=inputs, timestamp=0)
    except typst.TypstError as error:
        raise TypesettingError(error.message) from error
    if not isinstance(made, bytes):
        raise TypesettingError(f"the template {name} made no document")
    return made


@cache
def _template(room: str, name: str) -> bytes:
    return files(room).joinpath("templates", name).read_bytes()


@cache
def _compiler() -> typst.Compiler:
    # The fonts in the package of typst alone write all five languages; those of the system are looked at for nicer ones.
    return typst.Compiler(b"", font_paths=typst.Fonts(include_system_fonts=True, include_embedded_fonts=True))
