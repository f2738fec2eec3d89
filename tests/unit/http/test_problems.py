"""Refusals in RFC 9290 form."""

import cbor2
import pytest

from scrutineer.errors import LogError, PolicyError, SignatureError, StatementError
from scrutineer.http.problems import REASON_KEY, REASONS, Problem, problem_of, read_problem


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_travels(code: str) -> None:
    problem = Problem(code, "so and so")
    value = cbor2.loads(problem.encode())
    assert value == {-1: problem.title, -2: "so and so", REASON_KEY: {"code": code}}
    assert 400 <= problem.status < 600
    assert (problem.retry_after is not None) == (problem.status in (429, 503) or code == "not-recorded-yet")
    assert read_problem(problem.encode()) == problem


def test_errors_become_problems() -> None:
    assert problem_of(StatementError("x")).code == "malformed"
    assert problem_of(SignatureError("x")).code == "bad-signature"
    assert problem_of(PolicyError("x", code="unknown-key")).code == "unknown-key"
    assert problem_of(LogError("x")).code == "not-allowed"


@pytest.mark.parametrize(
    "body", [b"", b"\xff", cbor2.dumps([]), cbor2.dumps({-1: "x"}), cbor2.dumps({REASON_KEY: {"code": "?"}, -2: ""})]
)
def test_foreign_bodies_are_none(body: bytes) -> None:
    assert read_problem(body) is None


def test_long_details_are_cut() -> None:
    assert len(Problem("malformed", "y" * 10_000).encode()) < 1_000
