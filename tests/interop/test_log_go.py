"""Go's note and tlog packages, on which torchwood and Tessera build, and its ML-DSA verify what the log writes."""

import subprocess
from pathlib import Path

import pytest

from go_helpers import go_program
from log_helpers import ORIGIN, MemoryStore, signer
from scrutineer.log import Log


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_program(Path(__file__).with_name("log_verify.go"), tmp_path_factory.mktemp("go"))


@pytest.mark.parametrize("size", [1, 2, 3, 8, 11])
def test_proofs_and_both_signatures_verify_in_go(go_verifier: Path, tmp_path: Path, size: int) -> None:
    log = Log.open(MemoryStore(), signer())
    log.append([b"entry %d" % number for number in range(size)])
    proof = tmp_path / "entry.tlog-proof"
    for index in range(size):
        proof.write_bytes(log.proof(index))
        command = [str(go_verifier), *log.verifier.vkeys, str(proof)]
        run = subprocess.run([*command, f"entry {index}"], capture_output=True, text=True, check=False)
        assert run.stdout == f"{ORIGIN} {index} {size} 2 signatures\n", run.stderr
        run = subprocess.run([*command, "another entry"], capture_output=True, text=True, check=False)
        assert run.stdout.startswith("refused:")
