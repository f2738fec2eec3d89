"""Public keys as people hand them over: a PEM file, or the key itself in base64 or in the hexadecimal of register.csv."""

import base64
import binascii
import re
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from scrutineer.election.register import KEY_SIZES, Algorithm
from scrutineer.errors import UsageError

_MAX_FILE: Final = 16 * 1024  # bytes
_HEXADECIMAL: Final = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
_SIZES: Final = {size: name for name, size in KEY_SIZES.items()}


class PublicKey(NamedTuple):
    """A public key and what it is for."""

    key: bytes
    algorithm: Algorithm


def read_public_key(text: str, algorithm: str | None = None) -> PublicKey:
    """The key that a text is, or that the file of that name holds. Raises UsageError, also where it is of another algorithm."""
    found = _read_file(Path(text)) if len(text) < 1024 and Path(text).is_file() else _read_text(text, "--key")
    if algorithm is not None and algorithm != found.algorithm:
        raise UsageError(f"the key is an {found.algorithm} key and --algorithm says {algorithm}: check which key was meant")
    return found


def _read_file(path: Path) -> PublicKey:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE)
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read ({error.strerror}): check the path") from error
    if b"PRIVATE KEY" in data:
        raise UsageError(
            f"{path} holds a private key, which stays with its owner: pass the public key "
            f"(`openssl pkey -in {path.name} -pubout`)"
        )
    if b"PUBLIC KEY" not in data:
        return _read_text(data.decode("ascii", errors="replace").strip(), str(path))
    try:
        public = serialization.load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is not a public key in PEM form: an Ed25519 or ML-DSA-44 key is needed") from error
    if isinstance(public, ed25519.Ed25519PublicKey):
        return PublicKey(public.public_bytes_raw(), "ed25519")
    if isinstance(public, mldsa.MLDSA44PublicKey):
        return PublicKey(public.public_bytes_raw(), "ml-dsa-44")
    raise UsageError(f"{path} holds a key of another kind: an Ed25519 or ML-DSA-44 key is needed")


def _read_text(text: str, where: str) -> PublicKey:
    if _HEXADECIMAL.fullmatch(text) and len(text) // 2 in _SIZES:
        key = bytes.fromhex(text)
    else:
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
    name = _SIZES.get(len(key))
    if name is None:
        raise UsageError(
            f"{where} is neither a file nor a public key: give a PEM file, or the bytes of an Ed25519 (32) or ML-DSA-44 (1,312) "
            "key in base64 or hexadecimal"
        )
    return PublicKey(key, "ml-dsa-44" if name == "ml-dsa-44" else "ed25519")
