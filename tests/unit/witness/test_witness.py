"""Every answer that tlog-witness defines, and what is remembered and kept."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from log_helpers import ORIGIN, signer
from scrutineer.errors import UsageError
from scrutineer.log import Checkpoint, sign_checkpoint
from scrutineer.log.cosignature import cosignature_time
from scrutineer.log.merkle import EMPTY_ROOT
from scrutineer.log.note import Ed25519Signer, open_note, sign_note
from scrutineer.statements import SigningKey
from scrutineer.witness import Answer, Witness, read_logs
from scrutineer.witness.answers import format_request
from scrutineer.witness.rules import REFUSALS
from witness_helpers import LOG, LOGS, NAME, TIME, Bench, History, signers

HISTORY = History()
OTHER = History(name="stork")
LATE = HISTORY.request(3, 8)
CHECKPOINT = HISTORY.checkpoint(8)
LINE = b64encode(bytes(32)) + b"\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


def cosigned(answer: Answer, checkpoint: bytes) -> None:
    """The answer holds valid cosignatures of the checkpoint by both keys, and nothing else."""
    assert (answer.status, answer.code) == (200, "cosigned"), answer.words
    note, signed = open_note(checkpoint + answer.body, [key.verifier for key in signers()])
    assert len(signed) == 2
    ours = [line for line in note.signatures if line.name == NAME]
    assert len(ours) == answer.body.count(b"\n") == 2
    assert {cosignature_time(line.signature) for line in ours} == {TIME}


def refused(answer: Answer, code: str) -> None:
    assert answer.code == code, answer.words
    assert answer.status == REFUSALS[code]
    assert NAME.encode() not in answer.body


def test_growth_is_cosigned(bench: Bench) -> None:
    for old, size in ((0, 0), (0, 1), (1, 3), (3, 3), (3, 8), (8, 9), (9, 32)):
        cosigned(bench.ask(HISTORY.request(old, size)), HISTORY.checkpoint(size))
    assert bench.state.count == 6


def test_growth_goes_on_after_a_restart(bench: Bench) -> None:
    cosigned(bench.ask(HISTORY.request(0, 5)), HISTORY.checkpoint(5))
    bench.restart()
    refused(bench.ask(HISTORY.request(0, 7)), "wrong-old-size")
    cosigned(bench.ask(HISTORY.request(5, 7)), HISTORY.checkpoint(7))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        CHECKPOINT,
        b"\n" + CHECKPOINT,
        b"old  0\n\n" + CHECKPOINT,
        b"old 00\n\n" + CHECKPOINT,
        b"old -1\n\n" + CHECKPOINT,
        b"old 3 \n\n" + CHECKPOINT,
        b"old\n\n" + CHECKPOINT,
        b"Old 3\n\n" + CHECKPOINT,
        b"old 9223372036854775808\n\n" + CHECKPOINT,
        b"old " + b"9" * 5000 + b"\n\n" + CHECKPOINT,
        "old ٣\n\n".encode() + CHECKPOINT,
        b"old 3\r\n\r\n" + CHECKPOINT,
        b"old 3\nAAAA\n\n" + CHECKPOINT,
        b"old 3\n" + LINE[:-2] + b"\n\n" + CHECKPOINT,
        b"old 3\n" + LINE[:-3] + b"B=\n\n" + CHECKPOINT,
        b"old 3\n" + LINE * 64 + b"\n" + CHECKPOINT,
        LATE[:-1],
        LATE + b"\n",
        LATE.replace(b"\n8\n", b"\n08\n"),
        LATE.replace(b"\n8\n", b"\neight\n"),
        LATE.replace(b"\n8\n", b"\n9223372036854775808\n"),
        LATE.replace(ORIGIN.encode() + b"\n8", b"\t\n8"),
        b"old 0\n\nherons\n\n" + CHECKPOINT.split(b"\n\n")[1],
        b"old 0\n\n" + sign_note(f"{ORIGIN}\n8\n{b64encode(bytes(31)).decode()}\n".encode(), LOG.note_signers[:1]),
        b"old 0\n\n" + CHECKPOINT.split(b"\n\n")[0] + b"\n\n",
    ],
)
def test_what_is_malformed_is_400(bench: Bench, body: bytes) -> None:
    refused(bench.ask(body), "malformed")
    assert bench.state.count == 0


def test_63_lines_of_proof_are_read(bench: Bench) -> None:
    refused(bench.ask(b"old 0\n" + LINE * 63 + b"\n" + CHECKPOINT), "bad-proof")


def test_an_old_size_beyond_the_checkpoint_is_400(bench: Bench) -> None:
    refused(bench.ask(b"old 9\n\n" + CHECKPOINT), "old-size-beyond")
    assert bench.ask(b"old 9\n\n" + CHECKPOINT).status == 400


def test_an_unknown_origin_is_404(bench: Bench) -> None:
    other = signer("log.example/ibis")
    body = b"old 0\n\n" + sign_checkpoint(Checkpoint("log.example/ibis", 3, HISTORY.root(3)), other.note_signers)
    refused(bench.ask(body), "unknown-log")
    assert bench.ask(body).status == 404


def sign_with(*keys: object) -> bytes:
    return b"old 0\n\n" + sign_checkpoint(Checkpoint(ORIGIN, 3, HISTORY.root(3)), keys)  # type: ignore[arg-type]


STRANGER = Ed25519Signer("stranger.example/owl", SigningKey(b"o" * 32))


@pytest.mark.parametrize(
    "body",
    [
        sign_with(STRANGER),
        sign_with(LOG.note_signers[0]),
        sign_with(LOG.note_signers[1]),
        sign_with(*signer(ORIGIN, 50).note_signers),
    ],
    ids=["stranger", "ed25519-alone", "ml-dsa-alone", "other-keys-of-that-name"],
)
def test_a_missing_signature_of_the_log_is_403(bench: Bench, body: bytes) -> None:
    refused(bench.ask(body), "not-signed")


def test_signatures_of_strangers_are_ignored(bench: Bench) -> None:
    cosigned(bench.ask(sign_with(STRANGER, *LOG.note_signers)), HISTORY.checkpoint(3))


def test_our_name_under_a_checkpoint_means_nothing_without_our_signature(bench: Bench) -> None:
    forged = format_request(
        0,
        (),
        HISTORY.checkpoint(3) + b"\xe2\x80\x94 " + NAME.encode() + b" " + b64encode(signers()[0].key_id + bytes(72)) + b"\n",
    )
    cosigned(bench.ask(forged), HISTORY.checkpoint(3))


@pytest.mark.parametrize("number", [0, 1])
def test_a_signature_that_does_not_hold_is_403(bench: Bench, number: int) -> None:
    changed = HISTORY.checkpoint(3)
    good, other = changed.split(b"\n\n")[1].splitlines()[number], HISTORY.checkpoint(4).split(b"\n\n")[1].splitlines()[number]
    body = b"old 0\n\n" + changed.replace(good, other)
    refused(bench.ask(body), "bad-signature")
    assert bench.ask(body).status == 403
    # Beside a good one of the same key as well.
    refused(bench.ask(b"old 0\n\n" + changed + other + b"\n"), "bad-signature")


def test_another_old_size_is_409_with_the_size_alone(bench: Bench) -> None:
    answer = bench.ask(HISTORY.request(3, 8))
    refused(answer, "wrong-old-size")
    assert (answer.status, answer.media_type, answer.body) == (409, "text/x.tlog.size", b"0\n")
    bench.ask(HISTORY.request(0, 5))
    for old, size in ((0, 5), (0, 8), (3, 8), (6, 8), (0, 3), (3, 3)):
        answer = bench.ask(HISTORY.request(old, size))
        assert (answer.status, answer.media_type, answer.body) == (409, "text/x.tlog.size", b"5\n")
    assert not (bench.folder / "evidence").exists()


def test_a_root_that_no_empty_tree_has_is_422(bench: Bench) -> None:
    text = f"{ORIGIN}\n0\n{b64encode(bytes(32)).decode()}\n".encode()
    refused(bench.ask(b"old 0\n\n" + sign_note(text, LOG.note_signers)), "impossible-root")
    assert bytes(32) != EMPTY_ROOT
    assert bench.state.latest(ORIGIN) is None


def test_a_proof_from_nothing_is_422(bench: Bench) -> None:
    refused(bench.ask(b"old 0\n" + LINE + b"\n" + CHECKPOINT), "bad-proof")


@pytest.mark.parametrize("change", ["none", "cut", "longer", "swapped", "bit"])
def test_a_proof_that_does_not_hold_is_422(bench: Bench, change: str) -> None:
    bench.ask(HISTORY.request(0, 3))
    proof = list(HISTORY.tree.consistency(3, 8))
    proof = {
        "none": [],
        "cut": proof[:-1],
        "longer": [*proof, bytes(32)],
        "swapped": [proof[1], proof[0], *proof[2:]],
        "bit": [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]],
    }[change]
    answer = bench.ask(format_request(3, tuple(proof), CHECKPOINT))
    refused(answer, "bad-proof")
    assert answer.status == 422
    assert answer.evidence is not None
    assert answer.evidence.name.startswith("unproved-8-")
    cosigned(bench.ask(LATE), CHECKPOINT)


def test_a_proof_between_equal_sizes_is_422(bench: Bench) -> None:
    bench.ask(HISTORY.request(0, 8))
    refused(bench.ask(b"old 8\n" + LINE + b"\n" + CHECKPOINT), "bad-proof")


def test_a_second_root_for_a_size_is_422_and_kept(bench: Bench) -> None:
    first = bench.ask(HISTORY.request(0, 8))
    answer = bench.ask(format_request(8, (), OTHER.checkpoint(8)))
    refused(answer, "other-root")
    assert answer.status == 422
    assert answer.evidence is not None
    assert (answer.evidence / "submitted.request").read_bytes().endswith(OTHER.checkpoint(8))
    known = (answer.evidence / "cosigned-before.note").read_bytes()
    assert known == HISTORY.checkpoint(8) + first.body
    # Both checkpoints bear the log's own valid signatures: that is what makes them a proof.
    for note in (known, OTHER.checkpoint(8)):
        assert len(open_note(note, LOG.verifier.note_verifiers)[1]) == 2
    assert "exclude each other" in (answer.evidence / "reason.txt").read_text()
    assert bench.ask(format_request(8, (), OTHER.checkpoint(8))).evidence == answer.evidence
    # What it knew it goes on knowing.
    cosigned(bench.ask(HISTORY.request(8, 9)), HISTORY.checkpoint(9))


def test_a_log_that_begins_anew_is_refused_and_kept(bench: Bench) -> None:
    for old, size in ((0, 3), (3, 8)):
        bench.ask(HISTORY.request(old, size))
    # The classic accident: the same keys and origin over an empty store.
    answer = bench.ask(OTHER.request(0, 3))
    refused(answer, "wrong-old-size")
    assert answer.evidence is not None
    assert answer.evidence.name.startswith("fork-3-")
    for size in (8, 9):
        answer = bench.ask(format_request(8, OTHER.tree.consistency(8, size), OTHER.checkpoint(size)))
        assert answer.status == 422


def test_a_fork_with_a_proof_of_its_own_tree_is_refused(bench: Bench) -> None:
    bench.ask(HISTORY.request(0, 5))
    answer = bench.ask(OTHER.request(5, 8))
    refused(answer, "bad-proof")
    assert answer.evidence is not None


def test_evidence_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.witness.evidence.MAX_CASES", 3)
    bench.ask(HISTORY.request(0, 5))
    kept = [bench.ask(OTHER.request(5, size)).evidence for size in range(6, 12)]
    assert [path is not None for path in kept] == [True] * 3 + [False] * 3
    assert len(list((bench.folder / "evidence").iterdir())) == 3
    # Forks have room of their own.
    assert bench.ask(format_request(5, (), OTHER.checkpoint(5))).evidence is not None


def test_evidence_that_cannot_be_written_changes_no_answer(bench: Bench) -> None:
    bench.ask(HISTORY.request(0, 5))
    (bench.folder / "evidence").write_text("in the way")
    answer = bench.ask(format_request(5, (), OTHER.checkpoint(5)))
    refused(answer, "other-root")
    assert "cannot be kept" in answer.words


def test_lines_after_the_root_are_cosigned_by_ed25519(bench: Bench) -> None:
    text = Checkpoint(ORIGIN, 5, HISTORY.root(5)).to_text() + b"an extension\n"
    checkpoint = sign_note(text, LOG.note_signers)
    cosigned(bench.ask(b"old 0\n\n" + checkpoint), checkpoint)
    refused(bench.ask(b"old 5\n\n" + sign_note(text + b"\n", LOG.note_signers[:1])), "malformed")


def test_a_clock_that_says_nothing_ends_the_witness(bench: Bench) -> None:
    bench.now = 0
    assert bench.ask(HISTORY.request(0, 5)).status == 503
    assert bench.witness.failure is not None


class TestForgottenTime:
    """The memory was put back to an older copy."""

    def later(self, bench: Bench, history: History, old: int, size: int) -> bytes:
        """The cosignatures of a time that is then forgotten; the folder is as it was before."""
        bench.state.settle()
        before = bench.path.read_bytes()
        answer = bench.ask(history.request(old, size))
        bench.close()
        bench.path.write_bytes(before)
        bench.start()
        return answer.body

    def test_our_own_cosignature_shows_it(self, bench: Bench) -> None:
        bench.ask(HISTORY.request(0, 3))
        ours = self.later(bench, HISTORY, 3, 8)
        answer = bench.ask(format_request(8, (), CHECKPOINT + ours))
        refused(answer, "frozen")
        assert (answer.status, answer.media_type) == (503, "text/plain; charset=utf-8")
        assert answer.evidence is not None
        assert answer.evidence.name.startswith("own-key-8-")
        bench.restart()
        refused(bench.ask(HISTORY.request(3, 4)), "frozen")

    def test_with_a_proof_the_memory_catches_up(self, bench: Bench) -> None:
        bench.ask(HISTORY.request(0, 3))
        ours = self.later(bench, HISTORY, 3, 8)
        answer = bench.ask(format_request(3, HISTORY.tree.consistency(3, 8), CHECKPOINT + ours))
        cosigned(answer, CHECKPOINT)
        assert "old copy" in answer.words
        cosigned(bench.ask(HISTORY.request(8, 9)), HISTORY.checkpoint(9))

    def test_our_signature_under_a_second_root_freezes(self, bench: Bench) -> None:
        ours = self.later(bench, OTHER, 0, 8)
        bench.ask(HISTORY.request(0, 8))
        refused(bench.ask(format_request(8, (), OTHER.checkpoint(8) + ours)), "frozen")


def test_logs_are_read_from_their_keys() -> None:
    logs = read_logs([",".join(LOG.verifier.vkeys), signer("log.example/ibis").verifier.vkeys[0]])
    assert {origin: len(verifiers) for origin, verifiers in logs.items()} == {ORIGIN: 2, "log.example/ibis": 1}


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (["heron"], "copy the log's verifier keys"),
        ([""], "copy the log's verifier keys"),
        ([str(signers()[0].verifier.key)], "not one that logs sign with"),
        ([f"{LOG.verifier.vkeys[0]},{signer('log.example/ibis').verifier.vkeys[1]}"], "different logs"),
        ([f"{LOG.verifier.vkeys[0]},{LOG.verifier.vkeys[0]}"], "twice"),
        (list(LOG.verifier.vkeys), "named twice"),
    ],
)
def test_keys_that_make_no_log(groups: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_logs(groups)


def test_a_witness_needs_keys_and_logs(bench: Bench) -> None:
    for keys, logs in (((), LOGS), (signers(), {})):
        with pytest.raises(UsageError, match="at least one log"):
            Witness(bench.state, keys, logs, bench.folder, lambda: 1.0)
    with pytest.raises(UsageError, match="shorter"):
        Witness(bench.state, signers("w" * 256), LOGS, bench.folder, lambda: 1.0)
