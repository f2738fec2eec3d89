"""The head that is shown before the dice: it holds the plan and not the seed, and others had cosigned it."""

import hashlib
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from audit_artifacts import AUDITING, RESULTS, HeldAudit, held, in_log, root_of
from audit_helpers import AUDITORS, DICE, LOG
from scrutineer.audits.check import AuditCheck, Entry, check_audit
from scrutineer.audits.check_head import HEAD_FILE
from scrutineer.election.witness_policy import NamedWitness, WitnessPolicy
from scrutineer.log.checkpoint import Checkpoint, sign_checkpoint
from scrutineer.log.note import Note, SignatureLine, format_note, parse_note
from scrutineer.statements import parse_statement
from witness_helpers import signers

NAMES = ("crane.example/w", "owl.example/w")
KEYS = {name: signers(name, 10 * number + 7) for number, name in enumerate(NAMES)}
POLICY = WitnessPolicy(1, tuple(NamedWitness(tuple(str(key.verifier.key) for key in keys)) for keys in KEYS.values()))
PLAN = len(RESULTS) + 1
NOW = 1_750_000_000


def head(audit: HeldAudit, size: int = PLAN + 1, names: tuple[str, ...] = NAMES[:1], root: bytes | None = None) -> bytes:
    """A head of the audit's log of so many entries, cosigned by some."""
    tree = root_of(audit.log[:size]) if root is None else root
    note = parse_note(sign_checkpoint(Checkpoint(LOG.verifier.origin, size, tree), LOG.note_signers, NOW))
    lines = tuple(SignatureLine(key.name, key.key_id, key.sign(note.text, NOW)) for name in names for key in KEYS[name])
    return format_note(Note(note.text, note.signatures + lines))


def check(shown: bytes | None, named: bytes | None = None, witnesses: WitnessPolicy | None = POLICY, **given: Any) -> AuditCheck:
    """The audit as it stands when its seed is registered, which names a head; another than is shown where `named` is given."""
    audit = held()
    digest = hashlib.sha256(shown if named is None else named).digest() if shown or named else None
    seed = AUDITING.seed(audit.plan, AUDITORS[1], seed=DICE, head=digest)
    log = [*audit.log[: PLAN + 1], seed]
    files = {name: data for name, data in audit.artifacts.files.items() if not name.startswith(("report", "draw"))}
    if shown is not None:
        files[HEAD_FILE] = shown
    definition = parse_statement(audit.log[0]).payload
    own = {
        "files": files,
        "entries": [Entry(log[index], index) for index in (PLAN, PLAN + 1)],
        "admit": in_log(log),
        "root": lambda size: root_of(log[:size]) if size <= len(log) else None,
        "definition": msgspec.structs.replace(definition, witnesses=witnesses),
    }
    return check_audit(replace(audit.artifacts, **own | given))


def test_a_head_that_others_had_cosigned_says_when_the_plan_was_there() -> None:
    found = check(head(held()))
    assert found.findings == []
    said = next(note for note in found.notes if "dice" in note)
    assert "The plan was in the log by 2025-06-15 15:06:40 UTC" in said
    assert "1 of 2 witnesses has cosigned: crane.example/w" in said
    assert "the dice were thrown: At noon." in said


def test_a_head_that_only_the_log_has_signed() -> None:
    for found in (check(head(held(), names=())), check(head(held(), names=()), witnesses=None)):
        assert found.passed
        assert any("Only the log has signed it" in note for note in found.notes)


def test_without_a_head_that_is_said() -> None:
    found = check(None)
    assert found.passed
    assert any("No head of the log was named that others had cosigned before the throw." in note for note in found.notes)


@pytest.mark.parametrize(
    ("size", "root", "message"),
    [
        (PLAN, None, f"the plan is entry {PLAN}, which it does not hold"),
        (PLAN + 1, bytes(32), "it is of another log, or of a fork"),
    ],
)
def test_heads_that_show_nothing(size: int, root: bytes | None, message: str) -> None:
    found = check(head(held(), size, root=root))
    assert [each.where for each in found.findings] == [HEAD_FILE]
    assert message in found.findings[0].message


def test_a_head_with_the_seed_in_it_was_not_shown_before() -> None:
    audit = held()
    seed = AUDITING.seed(audit.plan, AUDITORS[1], seed=DICE)
    later = replace(audit, log=[*audit.log[: PLAN + 1], seed])
    found = check(head(later, PLAN + 2))
    assert any("and so the seed, which is entry" in each.message for each in found.findings)


def test_heads_that_are_gone_changed_or_nobodys() -> None:
    shown = head(held())
    gone = check(None, named=shown)
    assert [(each.where, each.message) for each in gone.findings] == [(HEAD_FILE, "is missing, and the signed seed names it")]
    assert check(None, named=shown, whole=False).unseen[-1] == HEAD_FILE
    changed = check(head(held(), names=NAMES), named=shown)
    assert any("is not the head that the signed seed names" in each.message for each in changed.findings)
    for data in (b"", b"no head", shown[:-40], shown.replace(b"log.example", b"other.example")):
        assert any(each.where == HEAD_FILE for each in check(data or b" ").findings)
    forged = shown.replace(str(PLAN + 1).encode(), str(PLAN + 2).encode(), 1)
    assert any("signature" in each.message for each in check(forged).findings)


def test_without_a_log_the_head_is_not_checked() -> None:
    found = check(head(held()), root=None, definition=None)
    assert any("was not checked, because there is no log" in note for note in found.notes)
