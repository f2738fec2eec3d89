"""The generated pages are up to date, and describe everything that there is."""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from scrutineer import errors
from scrutineer.cli import COMMANDS
from scrutineer.count import RULE_IDS

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCRIPTS = sorted(DOCS.glob("make_*.py"))


def load(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_page_is_what_its_script_writes(script: Path) -> None:
    module = load(script)
    assert module.PAGE.read_text(encoding="utf-8") == module.render(), f"{module.PAGE.name} is out of date: run `make docs`"


def test_scripts_are_found() -> None:
    assert {script.stem for script in SCRIPTS} >= {"make_commands", "make_errors", "make_rules"}


def test_every_command_has_a_section() -> None:
    headings = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8").splitlines()
    assert [name for name in COMMANDS if f"## scrutineer {name}" not in headings] == []


def test_every_rule_is_described() -> None:
    page = (DOCS / "reference" / "rules.md").read_text(encoding="utf-8")
    assert [rule for rule in RULE_IDS if f"| `{rule}` |" not in page] == []


def test_every_error_is_described() -> None:
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    classes = [member for _, member in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) > 10
    for error in classes:
        assert issubclass(error, errors.ScrutineerError)
        assert f"`{error.__name__}` |" in page
        assert (error.__doc__ or "").partition("\n")[0] in page
