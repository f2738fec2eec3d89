"""The second verifier stands alone: no import of the first, few dependencies, and no function that is a copy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from second_look_helpers import ROOT, SOURCE

ALLOWED = {"second_look", "cryptography", "gmpy2", *sys.stdlib_module_names}
FILES = sorted((SOURCE / "second_look").rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield node.module or ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            assert name not in ("__import__", "import_module"), f"{path.name} imports while it runs"


def test_nothing_else_is_imported() -> None:
    assert len(FILES) > 10
    for path in FILES:
        strange = {name for name in _imported(path) if name.partition(".")[0] not in ALLOWED}
        assert not strange, (path.name, strange)


def test_it_runs_where_the_first_is_not_installed() -> None:
    """In a process that refuses to import the first verifier, all of the second is imported."""
    names = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in FILES if path.stem != "__main__"]
    program = f"import sys; sys.modules['scrutineer'] = None; sys.path.insert(0, {str(SOURCE)!r})\nimport " + ", ".join(names)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def _functions(folder: Path) -> dict[str, str]:
    """Every function of more than two statements, with neither names nor texts, by where it stands."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if sum(isinstance(part, ast.stmt) for statement in body for part in ast.walk(statement)) > 2:
                    found[f"{path.name}:{node.name}"] = _normalized(body)
    return found


def _normalized(body: list[ast.stmt]) -> str:
    """A function's body with its names numbered in the order in which they appear, and without annotations and texts."""
    names: dict[str, str] = {}
    tree = ast.parse("\n".join(map(ast.unparse, body)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.setdefault(node.id, f"n{len(names)}")
        elif isinstance(node, ast.arg):
            node.arg, node.annotation = names.setdefault(node.arg, f"n{len(names)}"), None
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def test_no_function_is_a_copy() -> None:
    first = {body: where for where, body in _functions(ROOT / "src" / "scrutineer").items()}
    second = _functions(SOURCE / "second_look")
    assert len(first) > 500
    assert len(second) > 50
    assert not {where: first[body] for where, body in second.items() if body in first}


def test_a_copy_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'def one(x: int) -> int:\n    """Says."""\n    y = x + 1\n    print("a", y)\n    return y * y\n'
    )
    (tmp_path / "b.py").write_text("def two(v):\n    w = v + 1\n    print('b', w)\n    return w * w\n")
    one, two = _functions(tmp_path).values()
    assert one == two
