"""Whether the plan was there before the dice: the head of the log that a seed names, and what its cosignatures show.

A plan that was registered, and a seed that was registered after it, could both have been made when the digits were known. A head
that independent witnesses cosigned, that holds the plan, and that was shown before the throw, cannot: its cosignatures carry the
time, and whoever watched the throw knows whether that came first.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from scrutineer.audits.check_model import Artifacts, AuditCheck
from scrutineer.audits.check_statements import AuditStatements
from scrutineer.election import Definition
from scrutineer.errors import AuditError
from scrutineer.log import LogVerifier, open_checkpoint
from scrutineer.log.quorum import Cosigners, Quorum, find_cosigners

HEAD_FILE: Final = "head.txt"
_WATCHED: Final = "That the dice fell as the seed says, only those can tell who watched."


@dataclass(frozen=True, slots=True)
class ShownHead:
    """A head of the log that its keys have signed."""

    size: int
    root: bytes
    cosigners: Cosigners | None
    """None where the definition names no witnesses."""


def open_head(data: bytes, definition: Definition) -> ShownHead:
    """Open a head of an election's log. Raises AuditError unless the log has two keys, NoteError for what they did not sign."""
    if len(definition.log.keys) != 2:
        raise AuditError(f"the definition names {len(definition.log.keys)} keys of the log, and two are needed")
    verifier = LogVerifier.from_vkeys(*definition.log.keys)
    checkpoint = open_checkpoint(data, verifier.note_verifiers).checkpoint
    policy = definition.witnesses
    cosigners = None if policy is None else find_cosigners(data, Quorum.from_policy(policy, verifier))
    return ShownHead(checkpoint.size, checkpoint.root, cosigners)


def check_shown(head: ShownHead, plan: int, root: bytes | None) -> None:
    """Refuse a head that does not hold the plan's log entry, or is of another log. Raises AuditError."""
    if head.size <= plan:
        raise AuditError(
            f"the head has {head.size:,} entries, and the plan is entry {plan:,}, which it does not hold: publish one that does"
        )
    if head.root != root:
        raise AuditError(f"the head has another root at {head.size:,} entries than the log: it is of another log, or of a fork")


def seed_notes(own: AuditStatements, artifacts: Artifacts, found: AuditCheck) -> list[str]:
    """What is known of when the plan was there and when the dice were thrown; findings of a head that shows nothing."""
    if own.seeded is None:
        return []
    seed = own.seeded[1]
    order = "The log shows that the seed was registered after the plan, and not when the dice were thrown."
    if seed.head is None:
        return [f"{order} {_WATCHED} No head of the log was named that others had cosigned before the throw."]
    data = artifacts.files.get(HEAD_FILE)
    if data is None:
        if artifacts.whole:
            found.add("order", HEAD_FILE, "is missing, and the signed seed names it")
        elif HEAD_FILE not in found.unseen:
            found.unseen.append(HEAD_FILE)
        return [f"{order} {_WATCHED}"]
    if hashlib.sha256(data).digest() != seed.head:
        found.add("order", HEAD_FILE, "is not the head that the signed seed names: it was changed")
    if artifacts.definition is None or artifacts.root is None or own.plan_index is None or own.seed_index is None:
        return [f"The head that the seed names was not checked, because there is no log to check it with. {_WATCHED}"]
    definition, root, plan = artifacts.definition, artifacts.root, own.plan_index
    head = found.attempt("order", HEAD_FILE, lambda: open_head(data, definition))
    if head is None:
        return [f"{order} {_WATCHED}"]
    found.attempt("order", HEAD_FILE, lambda: check_shown(head, plan, root(head.size)))
    if head.size > own.seed_index:
        found.add("order", HEAD_FILE, f"holds {head.size:,} entries, and so the seed, which is entry {own.seed_index:,}, as well")
    return [_sentence(head, seed.when)]


def _sentence(head: ShownHead, when: str) -> str:
    cosigners = head.cosigners
    if cosigners is None or not cosigners.cosigned:
        return (
            f"The seed names a head of {head.size:,} entries that holds the plan. Only the log has signed it, so its time is "
            f"the log's own word. The seed says that the dice were thrown: {when}. {_WATCHED}"
        )
    at = datetime.fromtimestamp(cosigners.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"The plan was in the log by {at}: the seed names a head of {head.size:,} entries, and {cosigners.sentence}. The seed "
        f"says that the dice were thrown: {when}. {_WATCHED}"
    )
