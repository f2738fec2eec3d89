"""Every reason has one kind, and every kind a meaning."""

import ast
import inspect
from typing import get_args

from scrutineer.http import problems
from scrutineer.http.problems import REASONS
from scrutineer.intake.incidents import KIND_BY_REASON, MEANINGS, kind_of
from scrutineer.statements.incident import REQUEST_KINDS, RequestKind


def test_every_reason_of_a_refusal_has_a_kind() -> None:
    assert set(KIND_BY_REASON) >= {*REASONS, "duplicate"}
    assert set(KIND_BY_REASON.values()) | {"other"} == set(REQUEST_KINDS) == set(get_args(RequestKind))


def test_no_reason_stands_twice() -> None:
    tree = ast.parse(inspect.getsource(problems))
    table = next(node.value for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "REASONS")
    assert isinstance(table, ast.Dict)
    assert len(table.keys) == len(REASONS)


def test_a_reason_that_nobody_knows_is_another_kind() -> None:
    assert kind_of("bad-signature") == "forged-signature"
    assert kind_of("rained-out") == "other"


def test_every_kind_says_what_it_means() -> None:
    assert list(MEANINGS) == list(REQUEST_KINDS)
    assert not any(word in meaning for meaning in MEANINGS.values() for word in ("attacker", "criminal", "hacker", "fraud"))
