"""`scrutineer witness`: first start, what it says, and what it refuses to start on."""

import http.client
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli_helpers import call, command, opened, refused
from log_helpers import ORIGIN
from scrutineer.cli.witness_commands import LINES_A_MINUTE, Reporter
from scrutineer.log.cosignature import cosignature_verifier
from scrutineer.witness import Answer, WitnessState
from scrutineer.witness.answers import format_request
from witness_helpers import LOG, NAME, History

LOG_KEYS = ",".join(LOG.verifier.vkeys)
HISTORY = History()
OTHER = History(name="stork")


@contextmanager
def started(folder: Path, *options: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        command(["witness", folder, "--port", 0, *options]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    try:
        yield process, first
    finally:
        process.kill()
        process.communicate()


def post(first: str, body: bytes) -> int:
    connection = http.client.HTTPConnection(first.split()[-1].removeprefix("http://"), timeout=10)
    connection.request("POST", "/add-checkpoint", body)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_what_it_does_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "witness"
    with started(folder, "--name", NAME, "--log", LOG_KEYS) as (process, first):
        assert first.startswith(f"Witness {NAME} at http://127.0.0.1:")
        assert post(first, HISTORY.request(0, 8)) == 200
        assert post(first, format_request(8, (), OTHER.checkpoint(8))) == 422
        assert post(first, b"heron") == 400
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"{ORIGIN}: cosigned size 8\n" in out
    assert "Stopped. 1 checkpoint was cosigned in all." in out
    assert "refused (other-root)" in err
    assert f"kept as evidence: {folder}/evidence/fork-8-" in err
    assert "refused (malformed)" in err
    assert "Traceback" not in err
    with started(folder, "--log", LOG_KEYS) as (process, _):
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
    assert lines[-1] == f"Watching {ORIGIN}: last cosigned size 8\n"
    assert lines[2].endswith("… (--keys prints it whole)\n")
    for shown, whole in zip(lines[1:3], call("witness", folder, "--keys").out.split(), strict=True):
        assert whole.startswith(shown.split()[0].rstrip("…"))
        assert len(shown) < 130


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    first = call("witness", folder, "--name", NAME, "--keys").out
    assert call("witness", folder, "--log", LOG_KEYS, "--keys").out == first
    assert {cosignature_verifier(vkey).name for vkey in first.split()} == {NAME}
    assert len(first.split()) == 2
    files = [folder / "memory.db", *(folder / "keys").iterdir()]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    assert (folder.stat().st_mode | (folder / "keys").stat().st_mode) & 0o777 == 0o700


def test_half_a_first_start_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    WitnessState.create(folder / "memory.db", NAME)
    (folder / "keys").mkdir()
    (folder / "keys" / "ed25519.pem.new").write_text("half a key")
    assert len(call("witness", folder, "--keys").out.split()) == 2


def test_the_log_of_a_definition_is_watched(tmp_path: Path) -> None:
    definition = opened(tmp_path / "birds") / "record" / "definition.cose"
    with started(tmp_path / "witness", "--name", NAME, "--definition", definition) as (process, _):
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
    assert lines[-1].startswith("Watching scrutineer/")
    assert lines[-1].endswith(": nothing cosigned yet\n")


class TestRefusedStart:
    def test_without_a_log_or_a_name(self, tmp_path: Path) -> None:
        assert "name the log to watch" in refused("witness", tmp_path / "w", "--name", NAME, code=2)
        assert "name the witness" in refused("witness", tmp_path / "w", "--log", LOG_KEYS, code=2)
        assert not (tmp_path / "w").exists()

    @pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 256, "bell\x7f"])
    def test_a_name_that_is_none(self, tmp_path: Path, name: str) -> None:
        assert "--name" in refused("witness", tmp_path / "w", "--name", name, "--keys", code=2)

    def test_another_name(self, tmp_path: Path) -> None:
        call("witness", tmp_path / "w", "--name", NAME, "--keys")
        assert NAME in refused("witness", tmp_path / "w", "--name", "owl.example/w", "--keys", code=2)

    def test_keys_without_a_memory(self, tmp_path: Path) -> None:
        call("witness", tmp_path / "w", "--name", NAME, "--keys")
        (tmp_path / "w" / "memory.db").unlink()
        assert "has keys and no memory" in refused("witness", tmp_path / "w", "--name", NAME, "--keys", code=2)

    def test_a_memory_without_its_keys(self, tmp_path: Path) -> None:
        call("witness", tmp_path / "w", "--name", NAME, "--keys")
        shutil.rmtree(tmp_path / "w" / "keys")
        assert "cannot be read" in refused("witness", tmp_path / "w", "--keys", code=2)

    def test_keys_that_others_can_read(self, tmp_path: Path) -> None:
        call("witness", tmp_path / "w", "--name", NAME, "--keys")
        (tmp_path / "w" / "keys" / "ed25519.pem").chmod(0o644)
        assert "chmod 600" in refused("witness", tmp_path / "w", "--keys", code=2)

    def test_a_damaged_memory(self, tmp_path: Path) -> None:
        call("witness", tmp_path / "w", "--name", NAME, "--keys")
        (tmp_path / "w" / "memory.db").write_bytes(b"heron" * 1000)
        assert "is damaged" in refused("witness", tmp_path / "w", "--keys")

    def test_an_old_copy_where_there_is_a_mark(self, tmp_path: Path) -> None:
        folder, mark = tmp_path / "w", tmp_path / "mark"
        call("witness", folder, "--name", NAME, "--keys", "--mark", mark)
        shutil.copytree(folder, tmp_path / "copy")
        with started(folder, "--log", LOG_KEYS, "--mark", mark) as (_, first):
            assert post(first, HISTORY.request(0, 8)) == 200
        shutil.rmtree(folder)
        (tmp_path / "copy").rename(folder)
        assert "is an old copy" in refused("witness", folder, "--log", LOG_KEYS, "--mark", mark)


class TestReporter:
    """A flood of requests does not become a flood of lines."""

    def test_lines_are_counted_after_a_while(self, capsys: pytest.CaptureFixture[str]) -> None:
        now = 0.0
        reporter = Reporter(lambda: now)
        for _ in range(LINES_A_MINUTE + 1000):
            reporter(Answer(400, "", b"", "", "malformed", "refused (malformed): heron"))
        assert capsys.readouterr().err.count("heron") == LINES_A_MINUTE
        now = 61.0
        reporter.tick()
        assert capsys.readouterr().err == "    and in the last minute, not shown: 1,000 malformed\n"
        reporter(Answer(400, "", b"", "", "malformed", "refused (malformed): heron"))
        assert capsys.readouterr().err.count("heron") == 1

    def test_evidence_is_said_in_a_flood_too_but_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        reporter = Reporter(lambda: 0.0)
        for _ in range(LINES_A_MINUTE):
            reporter(Answer(400, "", b"", "", "malformed", "refused (malformed): heron"))
        for _ in range(3):
            reporter(Answer(422, "", b"", ORIGIN, "other-root", "refused (other-root): stork", Path("evidence/fork-8")))
        assert capsys.readouterr().err.count("kept as evidence: evidence/fork-8") == 1

    def test_nothing_draws_on_the_screen(self, capsys: pytest.CaptureFixture[str]) -> None:
        Reporter(lambda: 0.0)(Answer(400, "", b"", "", "malformed", "refused: \x9b2J\x7f"))
        assert capsys.readouterr().err.strip().isprintable()
