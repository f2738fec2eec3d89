"""Checks the core of a published site with Python's standard library and openssl alone: `python check_site.py SITE [ENTRY…]`.

An example to read, not a replacement for `scrutineer verify`: it rebuilds the log's root, checks the log's signature on it, adds
up the table of stations, and checks the station's signature on each sheet whose log index is named.
"""

# ruff: noqa: T201 - a program for the terminal, which prints what it finds

import base64
import csv
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def entries(site: Path, size: int) -> Iterator[bytes]:
    """The log's entries: C2SP tlog-tiles entry bundles of up to 256, each entry behind its length in two bytes."""
    for number in range((size + 255) // 256):
        name = f"{number % 1000:03}"
        while number := number // 1000:
            name = f"x{number % 1000:03}/{name}"
        partial = sorted((site / "log/tile/entries").glob(f"{name}.p/*"), key=lambda path: int(path.name))
        full = site / "log/tile/entries" / name
        data = (full if full.is_file() else partial[-1]).read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            yield data[2 : 2 + length]
            data = data[2 + length :]


def root(leaves: list[bytes]) -> bytes:
    """The Merkle tree's root (RFC 9162 section 2.1.1)."""
    while len(leaves) > 1:
        pairs = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(leaves[::2], leaves[1::2], strict=False)]
        leaves = pairs + leaves[len(pairs) * 2 :]
    return leaves[0]


def openssl_accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether openssl accepts an Ed25519 signature."""
    # The key in the form that openssl reads: RFC 8410, twelve fixed bytes and then the key.
    der = bytes.fromhex("302a300506032b6570032100") + public_key
    with tempfile.TemporaryDirectory() as folder:
        key, text, sign = (Path(folder) / name for name in ("key.der", "message", "signature"))
        key.write_bytes(der)
        text.write_bytes(message)
        sign.write_bytes(signature)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin", "-in", text]
        run = subprocess.run([*command, "-sigfile", sign], capture_output=True, check=False)  # noqa: S603
    return run.returncode == 0


def check_log(site: Path) -> list[bytes]:
    """Steps 1 to 3; returns the entries."""
    definition = (site / "definition/definition.cose").read_bytes()
    print("definition", hashlib.sha256(b"\x00" + definition).hexdigest())
    text, _, signatures = (site / "log/checkpoint").read_bytes().partition(b"\n\n")
    origin, size, stated = text.decode().split("\n")
    logged = list(entries(site, int(size)))
    if logged[0] != definition or len(logged) != int(size):
        raise SystemExit("FAIL: the log does not begin with the definition, or has another number of entries")
    if root([hashlib.sha256(b"\x00" + entry).digest() for entry in logged]) != base64.b64decode(stated):
        raise SystemExit("FAIL: the entries do not give the root of the checkpoint")
    # The definition names the log's keys as `origin+id+base64(type ‖ key)`; type 1 is Ed25519.
    (key,) = (
        base64.b64decode(found)
        for found in re.findall(re.escape(origin.encode()) + rb"\+[0-9a-f]{8}\+(A[Q-Za-f][A-Za-z0-9+/]{42})", definition)
    )
    (first, *_) = signatures.split(b"\n")
    signature = base64.b64decode(first.rpartition(b" ")[2])[4:]
    if not openssl_accepts(key[1:], text + b"\n", signature):
        raise SystemExit("FAIL: the checkpoint is not signed by the log that the definition names")
    print(f"log {origin}: {size} entries give the signed root {base64.b64decode(stated).hex()}")
    return logged


def check_witnesses(site: Path) -> None:
    """Step 3, if the definition names witnesses: their Ed25519 cosignatures of the checkpoint (C2SP tlog-cosignature).

    How many must have signed stands in the definition, as `quorum`; a witness may have a second key, which is not checked here.
    """
    definition = (site / "definition/definition.cose").read_bytes()
    text, _, signatures = (site / "log/checkpoint").read_bytes().partition(b"\n\n")
    for line in signatures.splitlines():
        _, name, encoded = line.split(b" ")
        for found in re.findall(re.escape(name) + rb"\+[0-9a-f]{8}\+(B[A-P][A-Za-z0-9+/]{42})", definition):
            key, signature = base64.b64decode(found), base64.b64decode(encoded)
            if signature[:4] != hashlib.sha256(name + b"\n" + key).digest()[:4]:
                continue
            # Behind the key's id stand eight bytes of time, which is signed with the text.
            time = int.from_bytes(signature[4:12], "big")
            if not openssl_accepts(key[1:], b"cosignature/v1\ntime %d\n" % time + text + b"\n", signature[12:]):
                raise SystemExit(f"FAIL: the cosignature by {name.decode()} does not hold")
            print(f"cosigned by {name.decode()}")


def check_totals(site: Path) -> None:
    """Step 4: the counted stations add up to the totals of the whole election."""
    for folder in sorted((site / "data").iterdir()):
        if not folder.is_dir():
            continue
        with (folder / "stations.csv").open(encoding="utf-8", newline="") as file:
            counted = [row for row in csv.DictReader(file) if row["status"] == "counted"]
        with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
            total = next(row for row in csv.DictReader(file) if not row["parent"])
        for option in (name for name in total if name.startswith("votes:")):
            if sum(int(row[option]) for row in counted) != int(total[option]):
                raise SystemExit(f"FAIL: {folder.name}: the stations do not add up to {option} = {total[option]}")
        print(f"{folder.name}: {len(counted)} counted stations add up")


def check_sheet(site: Path, entry: bytes) -> None:
    """Step 5: the key that the definition gives to the station signed this sheet (COSE_Sign1, RFC 9052 section 4.4)."""
    # Tag 18, array of 4; protected header and payload are byte strings, each behind its head, and the signature comes last.
    protected, payload = entry[2 : 4 + entry[3]], entry[5 + entry[3] : -66]
    # In the header the issuer follows the key's thumbprint: text of up to 23 bytes has a head of one byte, longer text of two.
    at = protected.index(b"\x04\x58\x20") + 3 + 32 + 3
    length, start = (protected[at + 1], at + 2) if protected[at] == 0x78 else (protected[at] - 0x60, at + 1)
    issuer = protected[start : start + length].decode()
    with (site / "definition/register.csv").open(encoding="utf-8", newline="") as file:
        key = next(row["key"] for row in csv.DictReader(file) if row["issuer"] == issuer)
    signed = b"\x84\x6aSignature1" + protected + b"\x40" + payload
    if not openssl_accepts(bytes.fromhex(key), signed, entry[-64:]):
        raise SystemExit(f"FAIL: the sheet is not signed by {issuer}")
    print(f"{issuer}: signature holds, statement {hashlib.sha256(bytes(1) + entry).hexdigest()}")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    log = check_log(folder)
    check_witnesses(folder)
    check_totals(folder)
    for index in sys.argv[2:]:
        check_sheet(folder, log[int(index)])
