"""What commands print: results for people as tables, for programs as JSON, and progress on standard error.

rich is loaded where a table or a bar is drawn: most commands draw neither.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[str, int, int], None]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text for people.")


def print_json(value: Any) -> None:
    """One JSON document, keys in a fixed order."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def silent(what: str, done: int, total: int) -> None:
    """A progress display that shows nothing."""


@contextlib.contextmanager
def progress_display(quiet: bool = False) -> Iterator[Progress]:
    """Progress on standard error: bars on a terminal, a line every few seconds elsewhere, nothing when quiet."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield bars
    else:
        last = time.monotonic()

        def line(what: str, done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last > 5:
                last = time.monotonic()
                click.echo(f"{what}: {done:,} of {total:,}", err=True)

        yield line


def plain_console() -> "Console":
    """Standard output for tables; whatever names hold is shown as it is, and never taken for markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show
