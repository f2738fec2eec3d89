"""The generated pages are up to date, and describe everything that there is."""

import importlib.util
import inspect
import subprocess
import sys
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
    # In a process of its own, as `make docs` does it: what other tests have loaded or changed is not part of any page.
    written = "import runpy, sys; sys.stdout.write(runpy.run_path(sys.argv[1])['render']())"
    made = subprocess.run([sys.executable, "-X", "utf8", "-c", written, script], capture_output=True, check=True).stdout.decode()
    page = load(script).PAGE
    assert page.read_text(encoding="utf-8") == made, f"{page.name} is out of date: run `make docs`"


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
