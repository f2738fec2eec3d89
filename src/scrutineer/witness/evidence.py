"""What is kept of a request that shows something: both checkpoints as files, for anyone to check."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scrutineer.durable import sync_folder
from scrutineer.witness.rules import Finding, Refusal, Submission

MAX_CASES: Final = 200  # folders of each kind; an attacker must not fill the disk
KNOWN: Final = "cosigned-before.note"
SUBMITTED: Final = "submitted.request"
REASON: Final = "reason.txt"

_SENTENCES: Final[dict[Finding, str]] = {
    "fork": "The log has signed two checkpoints that exclude each other. Each file holds one of them, with its signatures.",
    "unproved": "The log has signed a later checkpoint, and the proof that came with it does not hold. Whoever sent the request "
    "may have damaged the proof, so this alone proves nothing: ask the log for a proof between the two checkpoints.",
    "own-key": "The submitted checkpoint bears a valid cosignature by this witness that it does not remember. Its memory is an "
    "old copy, or somebody else uses its keys.",
}


def keep_evidence(folder: Path, submission: Submission, refusal: Refusal, body: bytes, known: bytes | None) -> Path | None:
    """Keep a request and the checkpoint that it contradicts; return the folder, or None where there are too many already.

    The same request is kept once. Raises OSError where the files cannot be written.
    """
    finding = refusal.finding
    if finding is None:
        return None
    # The same checkpoint with another broken proof, or other foreign signatures, is the same case.
    what = hashlib.sha256(submission.request.note.text + (known or b"")).hexdigest()[:16]
    files = {SUBMITTED: body, REASON: f"{_SENTENCES[finding]}\n{refusal.code}: {refusal.detail}\n".encode()}
    if known is not None:
        files[KNOWN] = known
    return keep_case(folder, finding, f"{submission.head.size}-{what}", files)


def keep_case(folder: Path, kind: str, name: str, files: Mapping[str, bytes]) -> Path | None:
    """Keep files as one case of a kind, durably and once; the folder it is in, or None where there are too many already.

    Raises OSError where the files cannot be written.
    """
    case = folder / f"{kind}-{name}"
    if case.exists():
        return case
    if folder.is_dir() and sum(1 for _ in folder.glob(f"{kind}-*")) >= MAX_CASES:
        return None
    fresh = folder / f".{case.name}"
    if fresh.exists():  # A crash left it half written.
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700, parents=True)
    for file_name, data in files.items():
        with (fresh / file_name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(case)
    sync_folder(folder)
    return case
