"""Writes docs/reference/commands.md from the commands' own help: `python docs/make_commands.py`."""

from pathlib import Path
from typing import Final

import click

from scrutineer.cli import COMMANDS, cli

PAGE: Final = Path(__file__).parent / "reference" / "commands.md"

_WIDTH: Final = 100  # characters
_START: Final = """\
# Commands

Written from `scrutineer COMMAND --help` by `docs/make_commands.py`; do not edit by hand.

Every command that prints a result takes `--json`. Results go to standard output, progress and errors to standard error. Exit
status: 0 for success, 1 for a check that failed or work that could not be done, 2 for a command that cannot be used as given,
130 for an interruption. Errors are one line that says what is wrong, where, and what to do.
"""


def render() -> str:
    """The page as the commands' help texts give it."""
    width = {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    top = cli.make_context("scrutineer", [], resilient_parsing=True, **width)
    parts = [_START, _block(cli.get_help(top))]
    for name, (_, summary) in COMMANDS.items():
        command = cli.get_command(top, name)
        if command is None:
            raise LookupError(f"{name} is listed and does not exist: correct COMMANDS in scrutineer/cli/__init__.py")
        context = command.make_context(name, [], parent=top, resilient_parsing=True, **width)
        parts.append(f"## scrutineer {name}\n\n{summary}\n\n{_block(command.get_help(context))}")
        if isinstance(command, click.Group):
            # Some groups load a part of their commands only when they are used, so that the order is that of their names.
            for part in command.list_commands(context):
                nested = command.get_command(context, part)
                if nested is None:
                    raise LookupError(f"{name} {part} is listed and does not exist")
                inner = nested.make_context(part, [], parent=context, resilient_parsing=True, **width)
                parts.append(f"### scrutineer {name} {part}\n\n{_block(nested.get_help(inner))}")
    return "\n".join(parts)


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
