"""Private keys in files: PKCS #8 PEM, readable by their owner alone."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from scrutineer.election.register import Algorithm
from scrutineer.errors import UsageError
from scrutineer.statements import SigningKey

Randomness = Callable[[int], bytes]


def make_key(path: Path, algorithm: Algorithm = "ed25519", randomness: Randomness = secrets.token_bytes) -> SigningKey:
    """Make a key and keep it in a new file. Raises UsageError where the file exists already or cannot be written."""
    key = SigningKey(randomness(32), algorithm)
    private: ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey
    if algorithm == "ed25519":
        private = ed25519.Ed25519PrivateKey.from_private_bytes(key.seed)
    else:
        private = mldsa.MLDSA44PrivateKey.from_seed_bytes(key.seed)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            # Half a key on a full disk would be in the way of the same command, given again.
            path.unlink(missing_ok=True)
            raise
    except FileExistsError as error:
        raise UsageError(f"{path} exists already: a key is never overwritten; move it away first") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): make room, or choose another folder") from error
    return key


def load_key(path: Path) -> SigningKey:
    """Read a key. Raises UsageError where the file is missing or holds no Ed25519 or ML-DSA-44 key."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read ({error.strerror}): is this the machine that holds the keys?") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} is not an unencrypted private key in PEM form") from error
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return SigningKey(private.private_bytes_raw())
    if isinstance(private, mldsa.MLDSA44PrivateKey):
        return SigningKey(private.private_bytes_raw(), "ml-dsa-44")
    raise UsageError(f"{path} holds a key of another kind: Ed25519 or ML-DSA-44 is needed")
