"""A few thousand mutations for every decoder; fuzz_decoders.py runs as many as one likes."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("fuzz_decoders", Path(__file__).with_name("fuzz_decoders.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fuzz_decoders = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz_decoders)

NAMES = (
    "statement",
    "cbor",
    "tally-sheet",
    "qr-text",
    "note",
    "verifier-key",
    "checkpoint",
    "entry-bundle",
    "receipt",
    "log-proof",
    "witness-request",
    "witness-answer",
    "units-table",
    "register-table",
    "nist-report",
    "election-file",
    "layout",
    "published-table",
    "audit-plan",
    "audit-totals",
    "audit-report",
    "audit-entries",
    "audit-with-plan.json",
    "audit-with-draw.csv",
    "audit-with-report.json",
)
SLOW = {f"audit-with-{name}": 500 for name in ("plan.json", "draw.csv", "report.json")} | {
    "election-file": 300,
    "layout": 300,
    "published-table": 300,
    "checkpoint": 1000,
    "witness-answer": 1000,
}
RUNS = 3000


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    found: dict[str, object] = fuzz_decoders.targets(tmp_path_factory.mktemp("fuzz"))
    return found


def test_every_decoder_is_here(targets: dict[str, object]) -> None:
    assert set(targets) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_mutations_are_read_or_refused(name: str, targets: dict[str, object]) -> None:
    target = targets[name]
    assert any(fuzz_decoders.run_one(target, seed) for seed in target.seeds), "no example is valid"  # type: ignore[attr-defined]
    fuzz_decoders.fuzz(target, SLOW.get(name, RUNS), seed=20_270_314)
