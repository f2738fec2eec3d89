"""Writes docs/reference/errors.md from the error tree and the intake's reasons: `python docs/make_errors.py`."""

from pathlib import Path
from typing import Final

from scrutineer.errors import ScrutineerError
from scrutineer.http.problems import REASONS, RETRY_AFTER

PAGE: Final = Path(__file__).parent / "reference" / "errors.md"

_START: Final = """\
# Errors

Written from `scrutineer.errors` and `scrutineer.http.problems` by `docs/make_errors.py`; do not edit by hand.

## In programs and on the command line

Everything that can be expected to go wrong is a `ScrutineerError`. Its message says what is wrong, where, and what to do, in one
line; its `code` names the cause for programs. On the command line the message goes to standard error, and the exit status is the
one named here. A class stands below the one that it belongs to.

| class | exit status | code | meaning |
|---|---|---|---|
"""
_REASONS: Final = """
## Refusals of the intake service

A refused request is answered with Concise Problem Details (RFC 9290) in CBOR: a title, a sentence of detail, and one of these
codes under `urn:x-scrutineer:reason`. Where a time is named, the same request may succeed after it.

| code | HTTP status | title | try again |
|---|---|---|---|
"""


def render() -> str:
    """The page as the code gives it."""
    rows = "".join(f"{row}\n" for row in _tree(ScrutineerError, 0))
    reasons = "".join(
        f"| `{code}` | {status} | {title} | {f'after {RETRY_AFTER[code]} s' if code in RETRY_AFTER else 'no'} |\n"
        for code, (status, title) in REASONS.items()
    )
    return _START + rows + _REASONS + reasons


def _tree(error: type[ScrutineerError], depth: int) -> list[str]:
    meaning = (error.__doc__ or "").partition("\n")[0]
    rows = [f"| {'– ' * depth}`{error.__name__}` | {error.exit_status} | `{error.code}` | {meaning} |"]
    for below in error.__subclasses__():
        if below.__module__ == ScrutineerError.__module__:
            rows += _tree(below, depth + 1)
    return rows


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
