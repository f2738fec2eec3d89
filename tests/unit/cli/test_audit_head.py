"""`audit head`: what is shown before the dice are thrown."""

from pathlib import Path

import pytest

from audit_land import Land, counted_land
from cli_helpers import call, refused


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Land:
    place = tmp_path_factory.mktemp("land")
    return Land(counted_land(place), place / "boxes")


def test_the_head_of_the_site_is_kept_and_the_seed_names_it(land: Land, tmp_path: Path) -> None:
    site = tmp_path / "site"
    call("publish", land.folder, "--to", site)
    land.plan()
    assert "is not registered in" in refused("audit", "head", land.audit, "--log", site)
    told = refused("audit", "head", land.audit, *land.log, code=2)
    assert "a head that others have cosigned stands on its published site" in told
    call("publish", land.folder, "--to", site)
    shown = call("audit", "head", land.audit, "--log", site, "--json").json
    assert (land.audit / "head.txt").read_bytes() == (site / "log" / "checkpoint").read_bytes()
    assert shown["root"] in call("audit", "head", land.audit, "--log", site).out
    land.seed()
    assert "has its seed" in refused("audit", "head", land.audit, "--log", site, code=2)
    call("audit", "draw", land.audit)
    call("publish", land.folder, "--to", site, "--audits", land.audit.parent)
    assert (site / "audits" / "boxes" / "head.txt").is_file()
    checked = call("audit", "verify", land.audit, "--log", site).out
    assert checked.startswith("PASS")
    assert f"The seed names a head of {shown['size']:,} entries that holds the plan. Only the log has signed it" in checked
    assert "PASS" in call("verify", site).out
