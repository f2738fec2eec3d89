"""The Jinja environment of a room: its own templates over those of the design, everything escaped, nothing undefined."""

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


@cache
def environment(*rooms: str) -> Environment:
    """Templates of the packages named, in this order, then of the design. What is missing in a template raises."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(room) for room in (*rooms, "scrutineer.design")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=400,
    )
