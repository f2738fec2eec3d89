"""What a mirror keeps so that anyone can check what it says of a source: contradicting checkpoints, and snapshots that went."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scrutineer.portal.formats import write_json
from scrutineer.portal.history_files import MAX_SNAPSHOT_SIZE
from scrutineer.verify.mirror.folder import Held, MirrorFolder
from scrutineer.verify.mirror.nodes import Node
from scrutineer.verify.mirror.offers import Offer, Shown

FORMAT: Final = "scrutineer-contradiction/v1"

MOST_KEPT: Final = 64
"""Lost snapshots of one publication that are kept."""

_SAME_SIZE: Final = "The log signed two roots for one size. Check its signatures on both checkpoints."
_SIZES: Final = (
    "The log signed two trees of which the longer one does not begin with the shorter one. Check its signatures on both "
    "checkpoints, and that the subtrees give the root of the longer one and another root than the signed one at the shorter size."
)


def keep_fork(folder: MirrorFolder, one: Shown, other: Shown, subtrees: Mapping[Node, bytes]) -> Path:
    """Keep both checkpoints as they came, and the hashes that show the contradiction where the sizes differ; their folder.

    `subtrees` are the hashes of `nodes.cover(shorter, longer)` in the tree of the longer one. The same contradiction is kept
    once, with the sources that showed it first.
    """
    first, second = sorted((one, other), key=lambda shown: (shown.checkpoint.size, shown.checkpoint.root))
    about = {
        "format": FORMAT,
        "what": _SIZES if subtrees else _SAME_SIZE,
        "checkpoints": [
            {
                "file": f"checkpoint-{number}",
                "source": shown.source,
                "origin": shown.checkpoint.origin,
                "size": shown.checkpoint.size,
                "root": shown.checkpoint.root.hex(),
                "signed": shown.time,
            }
            for number, shown in enumerate((first, second), 1)
        ],
        "subtrees": [{"level": level, "index": index, "hash": value.hex()} for (level, index), value in subtrees.items()],
    }
    roots = hashlib.sha256(first.checkpoint.root + second.checkpoint.root).hexdigest()
    name = f"{first.checkpoint.size}-{second.checkpoint.size}-{roots[:16]}"
    files = {"about.json": write_json(about), "checkpoint-1": first.text, "checkpoint-2": second.text}
    return folder.keep(name, files)


def keep_lost(folder: MirrorFolder, held: Held, offer: Offer, lost: Sequence[str]) -> Path:
    """Keep snapshots that a new publication lacks, with the manifest signed for them and the new one; their folder."""
    both = hashlib.sha256(held.offer.manifest + offer.manifest).hexdigest()
    files = {path.rpartition("/")[2]: held.site.read(path, MAX_SNAPSHOT_SIZE) for path in lost[:MOST_KEPT]}
    files |= {"manifest-before": held.offer.manifest, "manifest-now": offer.manifest}
    return folder.keep(f"snapshots-{both[:16]}", files)
