"""The manifest that an election's contests and units give."""

import pytest

from scrutineer.ballots.from_election import contests_of, manifest_of, style_of, total_labels
from scrutineer.ballots.key_table import differences
from scrutineer.ballots.manifest import Manifest, read_manifest
from scrutineer.election import Contest, Option, Party, UnitRow, Units
from scrutineer.errors import BallotError
from scrutineer.station.voting.contest_data import lines, longest_name


def units() -> Units:
    rows = [UnitRow("lakeland", "", "Lakeland", "country", None)]
    for place in ("north", "south"):
        rows.append(UnitRow(place, "lakeland", place.title(), "region", None))
        rows += [UnitRow(f"{place}-{number}", place, f"{place} {number}", "station", 500) for number in (1, 2, 3)]
    return Units(rows)


def contest(label: str, options: int = 3, rule: str = "plurality", **more: object) -> Contest:
    return Contest(label, label.title(), rule, tuple(Option(f"{label}-{n}", f"Bird {n}") for n in range(options)), **more)  # type: ignore[arg-type]


def made(*contests: Contest) -> Manifest:
    return manifest_of("lakeland", "Lakeland", "2026-06-07", contests, units())


def test_one_choice_has_blank_and_null() -> None:
    (warden,) = made(contest("warden")).contests
    assert warden.options == ("warden-0", "warden-1", "warden-2")
    assert (warden.selection_limit, warden.option_limit, warden.fields, warden.data_blocks) == (1, 1, ("blank", "null"), 0)


def test_several_choices_have_undervotes() -> None:
    (council,) = made(contest("council", 5, seats=3, max_choices=3)).contests
    assert (council.selection_limit, council.fields) == (3, ("blank", "null", "undervotes"))


@pytest.mark.parametrize(("stated", "limit"), [(1, 4), (2, 2), (4, 4)])
def test_approval_allows_all_its_options_unless_it_names_a_number(stated: int, limit: int) -> None:
    assert made(contest("pond", 4, "approval", max_choices=stated)).contests[0].selection_limit == limit


def test_a_ranked_contest_becomes_all_orders_by_length_and_place() -> None:
    (song,) = made(contest("song", 3, "ranked")).contests
    assert song.orders
    assert song.options[:5] == ("song-0", "song-1", "song-2", "song-0>song-1", "song-0>song-2")
    assert len(song.options) == 3 + 6 + 6
    assert len(made(contest("song", 5, "ranked")).contests[0].options) == 325


def test_names_written_in_are_a_field_and_have_room() -> None:
    warden, council = made(
        contest("warden", write_in="warden-1"), contest("council", 5, seats=3, max_choices=3, write_in="council-4")
    ).contests
    assert (warden.options, warden.fields) == (("warden-0", "warden-2"), ("blank", "null", "write-ins"))
    assert (warden.selection_limit, warden.data_blocks, lines(warden), longest_name(warden)) == (1, 3, 1, 80)
    assert council.fields == ("blank", "null", "undervotes", "write-ins")
    assert (len(council.options), council.selection_limit, lines(council), longest_name(council)) == (4, 3, 3, 80)
    wide = made(contest("wide", 508, "approval", max_choices=64, write_in="wide-0")).contests[0]
    assert (lines(wide), longest_name(wide)) == (8, 80)
    assert total_labels(contest("warden", write_in="warden-1")) == ("warden-0", "*write-ins", "warden-2")


def test_names_written_in_alone_are_no_contest() -> None:
    with pytest.raises(BallotError, match="has no option but the names written in"):
        made(contest("warden", 1, write_in="warden-0"))


def test_parties_stand_for_options_by_their_numbers() -> None:
    contests = (contest("warden", write_in="warden-0"), contest("council", 4, seats=2, max_choices=2))
    parties = (Party("feather", "Feather List", ("council/council-3", "warden/warden-1", "council/council-0")),)
    manifest = manifest_of("lakeland", "Lakeland", "2026-06-07", contests, units(), parties)
    assert [(party.label, party.name, party.options) for party in manifest.parties] == [
        ("feather", "Feather List", ((1, 1), (2, 1), (2, 4)))
    ]
    assert read_manifest(manifest.encode()) == manifest
    before = manifest_of("lakeland", "Lakeland", "2026-06-07", contests, units())
    assert differences(before, manifest) == ("its parties or short codes are not those that the definition gives",)


def test_too_many_orders_choices_or_options_are_refused_in_words() -> None:
    with pytest.raises(BallotError, match=r"contest song is ranked and has 6 options, which can be ranked in 1,956 ways"):
        made(contest("song", 6, "ranked"))
    with pytest.raises(BallotError, match="allows 65 choices: encrypted ballots allow at most 64"):
        made(contest("pond", 65, "approval"))
    with pytest.raises(BallotError, match="has 511 options: with its 2 supplemental fields"):
        made(contest("warden", 511))
    assert len(made(contest("warden", 510)).contests[0].labels()) == 512


def test_styles_are_the_sets_of_contests_in_order_of_the_first_station() -> None:
    contests = (contest("south-only", unit="south"), contest("all"), contest("one", unit="south-2"))
    manifest = manifest_of("lakeland", "Lakeland", "2026-06-07", contests, units())
    assert [(style.label, style.contests) for style in manifest.styles] == [
        ("style-1", (2,)),
        ("style-2", (1, 2)),
        ("style-3", (1, 2, 3)),
    ]
    assert [style_of(manifest, units(), contests, station) for station in range(6)] == [1, 1, 1, 2, 3, 2]
    assert contests_of(units(), contests, 4) == (1, 2, 3)


def test_a_station_that_votes_in_nothing_has_no_style() -> None:
    contests = (contest("north-only", unit="north"),)
    manifest = manifest_of("lakeland", "Lakeland", "2026-06-07", contests, units())
    assert len(manifest.styles) == 1
    with pytest.raises(BallotError, match="no ballot style for station south-1: it votes in 0 contests"):
        style_of(manifest, units(), contests, 3)


def test_the_same_election_gives_the_same_bytes() -> None:
    contests = (contest("song", 4, "ranked"), contest("council", 5, seats=2, max_choices=2, unit="south"))
    first, second = made(*contests), made(*contests)
    assert first.encode() == second.encode()
    assert read_manifest(first.encode()) == first
