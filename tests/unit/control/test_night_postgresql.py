"""The night on a log in PostgreSQL: followed beside whoever writes it, and again once the server is back."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from cli_helpers import STATIONS, call, opened, rows, signed
from postgresql_server import PASSWORD, Server, running
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.control.night import Night
from scrutineer.log import SharedStore

pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def test_the_log_is_followed_in_a_database(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)  # The remembered address holds none.
    folder = opened(tmp_path / "aviary")
    first, *others = read_statements(signed(folder, rows(STATIONS)))
    call("store", "migrate", folder, "--store", server.database())
    office = Office.load(folder)
    night = Night(office.election, lambda: cast("SharedStore", office.open_store(writing=False)), office.log_signer().verifier)
    night.look()
    assert (night.trouble, night.count.size) == ("", 1)
    log = office.open_log()
    log.append([first])
    night.look()
    assert (night.trouble, night.count.size) == ("", 2)
    log.close()
    server.kill()
    version = night.version
    night.look()
    assert night.trouble
    assert night.version == version + 1, "it is said once"
    night.look()
    assert night.version == version + 1
    server.start()
    log = office.open_log()
    log.append(others)
    root = log.root()
    log.close()
    night.look()
    assert (night.trouble, night.count.size, night.ready) == ("", 7, True)
    assert night.root() == root
    night.stop()
