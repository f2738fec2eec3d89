import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from full_election import full_election
from portal_helpers import TIME_MS, Published, published, tables_of
from publish_helpers import OPTIONS, GrowingSite, grown
from scrutineer.portal import changes, rendered
from scrutineer.portal.publish import Effort
from scrutineer.portal.rendered import RENDERED_FILE

PUBLISH, SITE = sys.modules["scrutineer.portal.publish"], sys.modules["scrutineer.portal.site"]


@pytest.fixture(scope="module")
def steps() -> list[Published]:
    heads = full_election()
    return grown(heads[-1], heads[-1].log, [len(head.log) for head in heads])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GrowingSite:
    monkeypatch.setattr(changes, "MOST_UPPER", 1)
    return GrowingSite(tmp_path)


def cut_off(site: GrowingSite, given: Published) -> None:
    """A publication that ends after the last page of a place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SITE, "api_files", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            site.publish(given)


def pages(site: GrowingSite) -> dict[str, int]:
    """When each page of a place was written."""
    found = [path for folder in ("stations", "units", "es/units") for path in (site.folder / folder).rglob("*.html")]
    return {path.relative_to(site.folder).as_posix(): path.stat().st_mtime_ns for path in found}


def test_only_pages_of_places_with_news_are_made_again(steps: list[Published], site: GrowingSite) -> None:
    assert site.publish(steps[0]).kept == 0
    before = pages(site)
    summary = site.publish(steps[1])
    site.check()
    written = {path for path, time in pages(site).items() if before.get(path) != time}
    # Tables 11 to 14 sent their sheets, and an outage was reported from a school.
    assert {path for path in written if path.startswith("stations/")} == {
        *(f"stations/hills-1/hills-1-{table}.html" for table in (3, 4)),
        *(f"stations/hills-2/hills-2-{table}.html" for table in (1, 2)),
    }
    assert written >= {"units/avia.html", "units/hills.html", "units/hills-1.html", "units/hills-2.html", "es/units/avia.html"}
    assert not any("coast" in path or "lakes" in path for path in written)
    assert summary.kept > 20
    assert site.publish(steps[2]).kept > 0
    site.check()


def test_publishing_the_same_again_keeps_every_place(steps: list[Published], site: GrowingSite) -> None:
    site.publish(steps[0])
    site.publish(steps[0])
    summary = site.publish(steps[0])
    assert summary.written == 0
    assert summary.kept > 30
    assert site.publish(steps[1]).kept > 20
    site.check()


def test_a_head_that_was_signed_again_at_the_same_size_keeps_every_place(steps: list[Published], site: GrowingSite) -> None:
    first = steps[0].record
    again = published(first.election, tables_of(first), steps[0].log, OPTIONS, steps[0].signer, time_ms=TIME_MS + 60_000)
    again = replace(again, record=replace(again.record, baseline_table=first.baseline_table))
    site.publish(steps[0])
    for step in (again, again, steps[1]):
        assert site.publish(step).kept > 20
        site.check()


@pytest.mark.parametrize("workers", [2, 3])
def test_processes_make_the_same_site(
    steps: list[Published], site: GrowingSite, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PUBLISH, "_FEW", 0)
    monkeypatch.setattr(SITE, "_STATIONS", 3)
    monkeypatch.setattr(SITE, "_UNITS", 2)
    first = site.publish(steps[0], Effort(workers))
    site.check()
    files = [path for path in site.folder.rglob("*") if path.is_file() and path.name[0] != "."]
    assert first.files == first.written == len(files)
    assert first.bytes == sum(path.stat().st_size for path in files)
    assert site.publish(steps[2], Effort(workers)).kept > 0
    site.check()


def test_a_page_that_is_gone_is_made_again(steps: list[Published], site: GrowingSite) -> None:
    site.publish(steps[0])
    for path in ("stations/lakes-2/lakes-2-4.html", "units/coast.html", "es/units/coast-1.html", "api/v1/units/lakes.json"):
        (site.folder / path).unlink()
    site.publish(steps[1])
    site.check()


def test_everything_is_made_again_when_asked(steps: list[Published], site: GrowingSite) -> None:
    site.publish(steps[0])
    (site.folder / "stations/coast-1/coast-1-1.html").write_text("changed")
    assert site.publish(steps[1], Effort(everything=True)).kept == 0
    site.check()


def test_another_program_makes_everything_again(
    steps: list[Published], site: GrowingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.publish(steps[0])
    monkeypatch.setattr(rendered, "program", lambda: bytes(32))
    (site.folder / "stations/coast-1/coast-1-1.html").write_text("by another program")
    assert site.publish(steps[1]).kept == 0
    site.check()


def test_other_options_make_everything_again(steps: list[Published], site: GrowingSite) -> None:
    site.publish(steps[0])
    assert site.publish(steps[1].with_options(replace(OPTIONS, languages=("es", "en")))).kept == 0
    site.check()


def test_after_another_start_of_the_machine_files_are_looked_at(
    steps: list[Published], site: GrowingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.publish(steps[0])
    monkeypatch.setattr(rendered, "_boot", lambda: "another")
    (site.folder / "stations/coast-1/coast-1-1.html").write_bytes(b"")
    (site.folder / "es/units/coast-1.html").write_bytes(b"")
    assert site.publish(steps[1]).kept > 20
    site.check()


@pytest.mark.parametrize("damage", [None, b"", b"{}", b"\xff", b"[" * 4000, b'{"size": 1}'])
def test_without_the_hidden_file_everything_is_made_again(
    steps: list[Published], site: GrowingSite, damage: bytes | None
) -> None:
    site.publish(steps[0])
    (site.folder / RENDERED_FILE).unlink()
    if damage is not None:
        (site.folder / RENDERED_FILE).write_bytes(damage)
    (site.folder / "stations/coast-1/coast-1-1.html").write_text("changed")
    assert site.publish(steps[1]).kept == 0
    site.check()


def test_the_hidden_file_counts_only_with_its_manifest(
    steps: list[Published], site: GrowingSite, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = GrowingSite(tmp_path_factory.mktemp("other"))
    site.publish(steps[0])
    other.publish(steps[0])
    other.publish(steps[1])
    (site.folder / RENDERED_FILE).write_bytes((other.folder / RENDERED_FILE).read_bytes())
    assert site.publish(steps[2]).kept == 0
    site.check()


def test_pages_of_a_publication_that_was_cut_off_are_made_again(steps: list[Published], site: GrowingSite) -> None:
    site.publish(steps[0])
    cut_off(site, steps[2])
    state = json.loads((site.folder / RENDERED_FILE).read_bytes())
    assert (state["size"], state["up_to"]) == (len(steps[0].log), len(steps[2].log))
    assert site.publish(steps[2]).kept > 0
    site.check()


def test_a_shorter_log_than_that_of_a_publication_that_was_cut_off_makes_everything_again(
    steps: list[Published], site: GrowingSite
) -> None:
    site.publish(steps[0])
    cut_off(site, steps[2])
    assert site.publish(steps[1]).kept == 0
    site.check()


def test_a_cut_off_publication_with_other_options_leaves_nothing_to_keep(steps: list[Published], site: GrowingSite) -> None:
    site.publish(steps[0])
    cut_off(site, steps[0].with_options(replace(OPTIONS, languages=("fr", "en"))))
    assert site.publish(steps[1]).kept == 0
    site.check()
