"""Published results through the whole path by a layout of one's own, and statements on paper and back."""

from pathlib import Path

import pytest

from cli_helpers import HEADER, call, opened, refused, rows, signed

LAYOUT = """
title = "Election of the birds, 2025"
publisher = "The Society of Birds"
date = "2025-05-18"
timezone = "UTC"

[root]
id = "land"
name = "The Land"

[[level]]
kind = "region"
id = "REGION"
name = "Region {REGION}"

[station]
kind = "table"
id = ["REGION", "TABLE"]
name = "Table {TABLE}"
roll = "ROLL"

[[contest]]
id = "president"
title = "President"
rule = "plurality"
null = "NULL"

[[contest.option]]
id = "heron"
name = "Heron"
column = "HERON"

[[contest.option]]
id = "wren"
name = "Wren"
column = "WREN"
"""
RESULTS = "REGION,TABLE,ROLL,HERON,WREN,NULL\nnorth,1,100,40,20,3\nnorth,2,90,10,50,1\nsouth,1,80,20,,2\nsouth,2,50,30,40,0\n"
"""The third sheet leaves a figure out; the last has more votes than voters."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(tmp_path_factory.mktemp("election") / "birds")


class TestQr:
    @pytest.mark.parametrize("kind", ["png", "svg"])
    def test_a_sheet_there_and_back(self, office: Path, tmp_path: Path, kind: str) -> None:
        sheet, image, back = tmp_path / "sheet.cose", tmp_path / f"code.{kind}", tmp_path / "back.cose"
        sheet.write_bytes(signed(office, rows(("north-1",)), f"one-{kind}").read_bytes()[2:])
        assert str(image) in call("qr", sheet, "--to", image).out
        if kind == "svg":
            assert image.read_text().startswith(("<?xml", "<svg"))
            return
        pytest.importorskip("zxingcpp", reason="reading codes needs zxing-cpp: pip install 'scrutineer[scan]'")
        assert "tally-sheet by station/north-1" in call("qr", image, "--to", back).out
        assert back.read_bytes() == sheet.read_bytes()
        assert "exists already" in refused("qr", image, "--to", back, code=2)

    def test_files_that_cannot_become_a_code(self, office: Path, tmp_path: Path) -> None:
        bundle = signed(office, rows(), "many")
        refused("qr", bundle, "--to", tmp_path / "code.png", code=2)
        for data in (b"", b"\x00" * 50, b"x" * 1_000_000):
            (tmp_path / "file").write_bytes(data)
            refused("qr", tmp_path / "file", "--to", tmp_path / "code.png")
            assert not (tmp_path / "code.png").exists()
        refused("qr", office / "record/definition.cose", "--to", tmp_path / "code.png")
        one = tmp_path / "one.cose"
        one.write_bytes(signed(office, rows(("north-1",)), "again").read_bytes()[2:])
        for target in (tmp_path / "nowhere/code.png", tmp_path / "nowhere/code.svg"):
            refused("qr", one, "--to", target, code=2)

    def test_images_without_a_code(self, tmp_path: Path) -> None:
        image = pytest.importorskip("PIL.Image", reason="reading codes needs pillow: pip install 'scrutineer[scan]'")
        pytest.importorskip("zxingcpp")
        image.new("RGB", (64, 64), "white").save(tmp_path / "white.png")
        assert "no QR code" in refused("qr", tmp_path / "white.png", "--to", tmp_path / "out.cose")
        for data in (b"", b"\x89PNG\r\n\x1a\n", b"not an image", (tmp_path / "white.png").read_bytes()[:50]):
            (tmp_path / "image.png").write_bytes(data)
            refused("qr", tmp_path / "image.png", "--to", tmp_path / "out.cose", code=2)


class TestReplay:
    def test_the_list_of_layouts(self) -> None:
        listed = call("replay", "--layouts", "--json").json
        assert listed
        assert all(name in call("replay", "--layouts").out for name in listed)

    def test_a_table_by_a_layout_of_ones_own(self, tmp_path: Path) -> None:
        table, layout, out = tmp_path / "table.csv", tmp_path / "layout.toml", tmp_path / "out"
        table.write_text(RESULTS)
        layout.write_text(LAYOUT)
        replayed = call("replay", table, "--layout", layout, "--out", out, "--json").json
        (contest,) = replayed["contests"]
        assert contest["all_sheets"] == {"heron": 100, "wren": 110}
        assert contest["stations"] == 4
        assert replayed["verify"]["passed"] is True
        assert replayed["rows"] == 4
        assert "The Society of Birds" in replayed["provenance"]
        assert "replayed" in replayed["provenance"].lower()
        assert call("verify", out / "site", "--definition", replayed["definition"], "--json").json["passed"] is True
        counted = call("count", out / "election", "--json").json
        assert counted["provenance"] == "replayed"
        for page in ("index.html", "units/land.html", "check.html"):
            assert "The Society of Birds" in (out / "site" / page).read_text()
        assert "holds a replay already" in refused("replay", table, "--layout", layout, "--out", out, code=2)
        again = call("replay", table, "--layout", layout, "--out", tmp_path / "again")
        assert "PASS" in again.out

    def test_files_and_layouts_with_faults(self, tmp_path: Path) -> None:
        table, layout, out = tmp_path / "table.csv", tmp_path / "layout.toml", tmp_path / "out"
        table.write_text("a,b\n1,2\n")
        assert "write one of" in refused("replay", table, "--layout", "no-such-layout", "--out", out)
        for text in ("", "[", "[layout]\n", "x = 1\n", "\x00", LAYOUT.replace("HERON", "STORK")):
            layout.write_text(text)
            assert refused("replay", table, "--layout", layout, "--out", out)
        refused("replay", table, "--layout", tmp_path / "nowhere.toml", "--out", out)
        assert not out.exists()

    def test_a_condition_that_is_none(self, tmp_path: Path) -> None:
        table = tmp_path / "table.csv"
        table.write_text(HEADER)
        name = next(iter(call("replay", "--layouts", "--json").json))
        arguments = ("replay", table, "--layout", name, "--out", tmp_path / "out")
        assert "COLUMN=VALUE" in refused(*arguments, "--where", "nonsense", code=2)
        refused(*arguments)
