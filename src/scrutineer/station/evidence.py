"""What an address answered in place of a receipt is kept, so that whoever runs it, or stands between, can be asked about it."""

import hashlib
import json
from pathlib import Path
from typing import Final

from scrutineer.durable import write_whole
from scrutineer.errors import StoreError
from scrutineer.station.visit import FalseReceipt
from scrutineer.station.ways import Way

MAX_FILES: Final = 1_000  # of 64 KiB at most: what lies again and again must not fill the disk


def keep_evidence(folder: Path, way: Way, false: FalseReceipt, time: int) -> Path | None:
    """Write a false receipt (`.receipt`, the bytes as they came) and what is to be known of it (`.json`) durably.

    The same answer to the same statement is kept once; the path of its JSON file is returned, None where there are too many
    already. Raises StoreError.
    """
    stem = f"{false.leaf.hex()[:16]}-{_digest(way.url, false.answer.body)}"
    described = folder / f"{stem}.json"
    about = {
        "address": way.url,
        "kind": way.kind,
        "statement": false.leaf.hex(),
        "status": false.answer.status,
        "reason": false.reason,
        "answered": time,
        "receipt": f"{stem}.receipt",
    }
    try:
        folder.mkdir(exist_ok=True)
        if not described.exists():
            if sum(1 for _ in folder.iterdir()) >= 2 * MAX_FILES:
                return None
            write_whole(folder / f"{stem}.receipt", false.answer.body)
            write_whole(described, json.dumps(about, indent=2).encode() + b"\n")
    except OSError as error:
        raise StoreError(
            f"{folder}: a false receipt cannot be kept there ({error.strerror or error}); make room or check the permissions"
        ) from error
    return described


def _digest(url: str, body: bytes) -> str:
    return hashlib.sha256(url.encode() + b"\0" + body).hexdigest()[:16]
