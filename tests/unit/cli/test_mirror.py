"""`mirror`, and `verify` of several addresses, from the folder of an election to copies of copies."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import verify_helpers as helpers
from cli_helpers import call, command, refused
from mirror_helpers import at, files_of, forked
from scrutineer.portal.formats import MANIFEST_FILE
from site_servers import answering, mirror, reading, send


@pytest.fixture(scope="module")
def story() -> helpers.Story:
    return helpers.told()


@pytest.fixture
def site(story: helpers.Story, tmp_path: Path) -> Path:
    story.published().publish(tmp_path / "site")
    return tmp_path / "site"


def test_two_mirrors_and_a_liar(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    name = story.election.hash.hex()
    with reading(site) as origin:
        made = call("mirror", origin, tmp_path / "one", "--definition", name).out
        files = len(files_of(site))
        assert f"{files} files; {files - 1} fetched" in made
        assert origin in made
        told = call("mirror", origin, tmp_path / "two").out
        assert "This mirror follows the first definition that it saw" in told
        assert name in told
        assert f"is as it was: log size 32, {files} files." in call("mirror", origin, tmp_path / "two").out
    forked(story, 32, 20).published().publish(tmp_path / "fork")
    at(story, 26).published().publish(tmp_path / "late")
    # The origin is gone: its mirrors go on.
    with reading(tmp_path / "one/site") as one, reading(tmp_path / "late") as late, reading(tmp_path / "fork") as liar:
        assert call("verify", one, "--definition", name).out.endswith("every signature, total and file is what the log gives.\n")
        result = call("mirror", one, late, tmp_path / "two", "--json", code=1).json
        assert (result["good"], result["size"], result["changed"]) == (False, 32, False)
        assert [(finding["source"], finding["fault"]) for finding in result["source_findings"]] == [(late, "lags")]
        result = call("mirror", liar, one, tmp_path / "two", code=1).out
        assert f"{liar} shows another history of the log" in result
        (kept,) = (tmp_path / "two/evidence").iterdir()
        assert str(kept) in result
        verified = call("verify", one, late, "--definition", name, code=1)
        assert "PASS" in verified.out
        assert f"{late} lags: it shows the log at 26 entries, 6 fewer than 32" in verified.out
        verified = call("verify", one, liar, "--definition", name, "--copy-to", tmp_path / "kept", "--json", code=1)
        assert "passed" in verified.json
        assert {finding["fault"] for finding in verified.json["source_findings"]} == {"fork"}
        assert list((tmp_path / "kept/evidence").iterdir())
    assert files_of(tmp_path / "two/site") == files_of(site)


def test_verify_uses_whichever_answers(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    with reading(site) as address, answering(lambda handler, _: send(handler, b"", 503)) as broken:
        verified = call("verify", broken, address, "--definition", story.election.hash.hex())
        assert "PASS" in verified.out
        assert f"{broken}/ gives no answer that can be used" in verified.out
        nothing = call("verify", broken, f"{broken}/again", code=1)
        assert "FAIL: none of these addresses gave a site that could be verified." in nothing.out
        assert call("verify", broken, f"{broken}/again", "--json", code=1).json["passed"] is False


def test_what_cannot_be_used_as_given(site: Path, tmp_path: Path) -> None:
    assert "is not an address" in refused("mirror", "example.org", tmp_path / "m", code=2)
    assert "64 hexadecimal digits" in refused("mirror", "http://127.0.0.1:1", tmp_path / "m", "--definition", "ab", code=2)
    assert "is not an address" in refused("verify", site, site, code=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter").touch()
    assert "holds 'letter' and is not a mirror" in refused("mirror", "http://127.0.0.1:1", tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter"]
    with reading(site) as address:
        call("mirror", address, tmp_path / "m")
        assert "is a mirror of the election" in refused("mirror", address, tmp_path / "m", "--definition", "ab" * 32, code=2)
        (tmp_path / "m/site" / MANIFEST_FILE).write_bytes(b"damaged")
        assert "is damaged" in refused("mirror", address, tmp_path / "m")


def test_kept_up_to_date_until_it_is_stopped(story: helpers.Story, tmp_path: Path) -> None:
    old, site = tmp_path / "old", tmp_path / "site"
    at(story, 26).published().publish(old)
    shutil.copytree(old, site)
    story.published().publish(site)
    shown = [old]
    with answering(lambda handler, path: mirror(shown[0], {})(handler, path)) as address:
        arguments = ["mirror", address, tmp_path / "m", "--every", "1", "--json"]
        with subprocess.Popen(command(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as keeper:
            assert keeper.stdout is not None
            assert json.loads(keeper.stdout.readline())["size"] == 26
            second = call("mirror", address, tmp_path / "m", code=1)
            assert "is being written by another program" in second.err
            time.sleep(1.5)  # rounds in which nothing changes say nothing
            shown[0] = site
            found = json.loads(keeper.stdout.readline())
            assert (found["size"], found["changed"], found["good"]) == (32, True, True)
            keeper.send_signal(signal.SIGTERM)
            out, err = keeper.communicate(timeout=30)
    assert (keeper.returncode, out, err) == (0, "", "")
    assert files_of(tmp_path / "m/site") == files_of(site)
