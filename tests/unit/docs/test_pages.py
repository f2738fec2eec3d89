"""What the hand-written pages say about files and commands is so."""

import re
import shlex
from pathlib import Path

import click
import pytest

from scrutineer import __version__
from scrutineer.cli import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^( *)```[a-z]*\n.*?^\1```$", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^|[(`]|\bbin/)scrutineer ([a-z][^`\n]*)", re.MULTILINE)


def relative(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The names of a page's headings as GitHub and others make them."""
    headings = re.findall(r"^#+ +(.*)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_resolve(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{relative(page)} links to {target}, which does not exist"
        assert file.is_relative_to(ROOT), f"{relative(page)} links to {target}, which is outside the repository"
        if anchor:
            assert anchor in anchors(file), f"{relative(page)} links to {target}, and there is no such heading"


def calls(page: Path) -> list[str]:
    """Every `scrutineer …` on a page, in blocks and in running text."""
    return [call.strip() for call in CALL.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", WRITTEN, ids=relative)
def test_commands_exist_with_their_options(page: Path) -> None:
    top = click.Context(cli, info_name="scrutineer")
    for call in calls(page):
        name, *words = shlex.split(re.split(r" (?:&|\|\||\||>|2>)", f"{call} ")[0], comments=True)
        assert name in COMMANDS or name == "COMMAND", f"{relative(page)}: there is no command `scrutineer {name}`"
        command = cli.get_command(top, name)
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            assert words[0] in command.list_commands(top), f"{relative(page)}: `scrutineer {name}` has no command {words[0]}"
            command = command.get_command(top, words.pop(0))
        known = {option for parameter in command.params for option in parameter.opts} if command is not None else set()
        for option in (word.partition("=")[0] for word in words if word.startswith("-") and word != "-"):
            assert option in {*known, "--help"}, f"{relative(page)}: `scrutineer {name}` has no option {option}"


def test_calls_are_found() -> None:
    assert len(calls(ROOT / "README.md")) > 8
    assert any("--number 1" in call for call in calls(ROOT / "README.md"))


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}


def test_changelog_names_this_version() -> None:
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_page_has_one_title_and_closed_blocks(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^# ", BLOCK.sub("", text), re.MULTILINE)) == 1
    assert BLOCK.sub("", text).count("```") == 0
