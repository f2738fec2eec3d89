"""A Go implementation of the C2SP specifications, torchwood's, reads what the log writes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from log_helpers import MemoryStore, signer
from scrutineer.log import Log

_PROGRAM = """package main

import (
	"encoding/base64"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	if err != nil {
		panic(err)
	}
	data, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		panic(err)
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		panic(err)
	}
	hash := tlog.Hash(checkpoint.Hash)
	fmt.Println(checkpoint.Origin, checkpoint.N, base64.StdEncoding.EncodeToString(hash[:]))
}
"""
_SOURCE = Path("/usr/share/gocode/src/filippo.io/torchwood")  # where a Debian package puts the Go sources


def test_checkpoints_are_read_by_torchwood(tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None or not _SOURCE.is_dir():
        pytest.skip("needs the go command and torchwood's Go sources in /usr/share/gocode")
    log = Log.open(MemoryStore(), signer())
    log.append([b"entry %d" % number for number in range(11)])
    (tmp_path / "main.go").write_text(_PROGRAM)
    (tmp_path / "checkpoint").write_bytes(log.checkpoint())
    command = [go, "run", "main.go", log.verifier.vkeys[0], "checkpoint"]
    environment = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(tmp_path / "cache")}
    output = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    origin, size, root = log.checkpoint().decode().split("\n")[:3]
    assert output == f"{origin} {size} {root}\n"
