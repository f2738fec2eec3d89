"""The picture of a lead: readable as XML, the same bytes, everything labelled, nothing outside it."""

import re
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from scrutineer.calls.picture import picture
from scrutineer.calls.picture_words import description, headline
from scrutineer.calls.track import WHOLE, Moment, Track, rows
from scrutineer.errors import CallError
from scrutineer.language import PlainSay, language

SVG = "{http://www.w3.org/2000/svg}"
MOMENTS = (
    Moment(10, 1_000, 90, 900, -400, 2_200, -9_500, (None, None, -9_000)),
    Moment(40, 4_000, 300, 750, 100, 1_400, -6_000, (740, -100, -400)),
    Moment(70, 7_000, 600, 700, 550, 850, -2_500, (700, 500, 120)),
    Moment(90, 9_000, 800, 720, 690, 750, 100, (720, 700, 640)),
)
TRACK = Track("Marsh Council", "Heron", "Wren", True, (100, 200, 300), MOMENTS)


def parsed(track: Track, **given: int | bool) -> ElementTree.Element:
    return ElementTree.fromstring(picture(track, **given))  # type: ignore[arg-type]


def texts(track: Track, **given: int | bool) -> list[str]:
    return [(element.text or "") for element in parsed(track, **given).iter(f"{SVG}text")]


def test_a_picture_is_accessible() -> None:
    root = parsed(TRACK)
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == headline(TRACK) == "Marsh Council: lead of Heron over Wren"
    assert root[1].text == description(TRACK)
    said = description(TRACK)
    for part in (
        "With 90% counted (90 stations), the lead is +7.20 points or 800 votes.",
        "The 90% interval of the final lead is +6.90 to +7.50.",
        "Whatever the open ballots are, the final lead is at least +1.00, above zero since 90% counted.",
        "At gamma 3, the final lead is at least +6.40, above zero since 70% counted.",
    ):
        assert part in said


def test_every_line_has_its_label() -> None:
    wide = texts(TRACK)
    for label in ("lead +7.20", "90%: +6.90 to +7.50", "arithmetic +1.00", "Γ 1: +7.20", "Γ 2: +7.00", "Γ 3: +6.40"):
        assert label in wide
    assert "above 0 since 70%" in wide
    assert "of the roll counted" in wide
    assert {"↑ Heron ahead", "↓ Wren ahead", "Heron over Wren"} < set(wide)
    narrow = texts(TRACK, width=360)
    assert {"lead +7.20", "arithmetic", "+1.00", "Γ 3: +6.40", "Band: 90% interval of the final lead"} < set(narrow)


def test_lines_differ_by_their_dashes_and_not_only_by_colour() -> None:
    dashes = [element.get("stroke-dasharray") for element in parsed(TRACK).iter(f"{SVG}path") if element.get("fill") == "none"]
    assert len(dashes) == len(set(dashes)) == 5


def test_a_bound_below_the_picture_is_labelled_as_such() -> None:
    early = replace(TRACK, moments=MOMENTS[:2])
    assert "arithmetic −60.00 ↓" in texts(early)
    assert "above 0 since 90%" not in texts(early)


def test_the_picture_stands_alone_or_takes_the_colours_of_a_page() -> None:
    assert "prefers-color-scheme:dark" in picture(TRACK)
    assert "<style" not in picture(TRACK, inline=True)
    for text in (picture(TRACK), picture(TRACK, inline=True)):
        assert not re.search(r"<script|href|url\(|@import|@font-face|\son\w+=|style=", text)
        assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', text)) <= {"none"} | set(re.findall(r"var\(--\w+,#\w{6}\)", text))


def test_the_same_track_gives_the_same_bytes() -> None:
    assert picture(TRACK) == picture(replace(TRACK))
    assert picture(TRACK) != picture(replace(TRACK, leader="Finch"))


@pytest.mark.parametrize("width", [300, 360, 559, 560, 760, 2000])
@pytest.mark.parametrize("moments", [MOMENTS[:1], MOMENTS[:2], MOMENTS[1:], MOMENTS])
def test_nothing_is_drawn_outside(width: int, moments: tuple[Moment, ...]) -> None:
    root = parsed(replace(TRACK, moments=moments), width=width)
    height = float(root.get("height", "0"))
    for element in root.iter(f"{SVG}path"):
        for x, y in re.findall(r"[ML]([-\d.]+),([-\d.]+)", element.get("d", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    for element in root.iter(f"{SVG}text"):
        assert 0 <= float(element.get("x", "-1")) <= width
        assert 0 <= float(element.get("y", "-1")) <= height


def test_labels_do_not_touch_each_other() -> None:
    level = replace(MOMENTS[3], arithmetic=720, bounds=(720, 720, 720))
    for width in (360, 760):
        root = parsed(replace(TRACK, moments=(*MOMENTS[:3], level)), width=width)
        size = float(root.get("font-size", "0"))
        x = max(float(element.get("x", "0")) for element in root.iter(f"{SVG}text") if "lead +" in (element.text or ""))
        places = sorted(float(e.get("y", "0")) for e in root.iter(f"{SVG}text") if float(e.get("x", "0")) == x)
        assert len(places) > 4
        assert all(below - above >= size for above, below in pairwise(places))


@pytest.mark.parametrize("name", ['<Heron & "Wren">', "Hérisson", "a\x00b\x1b[1m", "\ud800\ufffe\u202e", "x" * 300, ""])
def test_names_are_other_peoples_words(name: str) -> None:
    track = replace(TRACK, leader=name, rival=name, title=name)
    for width in (360, 760):
        root = parsed(track, width=width)
        assert root[0].text is not None
        picture(track, width=width).encode()
        assert {child.tag for child in root} <= {
            f"{SVG}{tag}" for tag in ("title", "desc", "style", "rect", "text", "path", "polygon", "circle")
        }


@pytest.mark.parametrize("lead", [0, 1, -40, WHOLE, -WHOLE])
def test_extreme_leads_are_drawn(lead: int) -> None:
    moment = Moment(1, 0, lead, lead, max(lead - 5, -WHOLE), min(lead + 5, WHOLE), -WHOLE, (None, lead, -WHOLE))
    later = replace(moment, stations=2, counted=WHOLE, low=None, arithmetic=None)
    for moments in ((moment,), (moment, later)):
        assert parsed(replace(TRACK, moments=moments)).tag == f"{SVG}svg"


@pytest.mark.parametrize("width", [299, 2001, -1])
def test_a_width_that_cannot_hold_it_is_refused(width: int) -> None:
    with pytest.raises(CallError, match="give 300 to 2000"):
        picture(TRACK, width=width)


def test_rows_say_the_same() -> None:
    head, *body = rows(TRACK)
    assert list(head) == [
        "Stations", "Roll counted", "Lead in votes", "Lead", "Low, 90%", "High, 90%", "Arithmetic", "Γ = 1", "Γ = 2", "Γ = 3",
    ]  # fmt: skip
    assert len(body) == len(MOMENTS)
    assert list(body[0]) == [
        "10", "10.00%", "90", "+9.00", "−4.00", "+22.00", "−95.00", "–", "–", "−90.00",
    ]  # fmt: skip
    assert rows(replace(TRACK, of_roll=False))[0][1] == "Stations counted"


class Hushed(PlainSay):
    """Says dots instead of letters, so that words which nobody said stand out."""

    def _ready(self, said: str) -> str:
        return re.sub(r"\{\w+\}|[^\W\d]", lambda found: found[0] if found[0][0] == "{" else "·", said)


@pytest.mark.parametrize("width", [360, 760])
@pytest.mark.parametrize("of_roll", [True, False])
def test_every_word_can_be_said_in_another_language(width: int, of_roll: bool) -> None:
    say = Hushed(language("es"))
    track = replace(TRACK, of_roll=of_roll)
    root = ElementTree.fromstring(picture(track, width=width, say=say))
    for element in root.iter():
        text = (element.text or "").strip()
        if element.tag != f"{SVG}style":
            assert set(re.findall(r"[^\W\d]+", text)) <= {"Heron", "Wren", "Marsh", "Council"}
    assert not re.search(r"[^\W\d]", "".join(rows(track, say=say)[0]))


def test_names_that_read_the_other_way_are_kept_apart() -> None:
    say = PlainSay(language("ar"))
    assert headline(TRACK, say=say).count("\u2068") == headline(TRACK, say=say).count("\u2069") == 3
    heron = replace(TRACK, leader="\u0645\u0627\u0644\u0643", title="")
    assert headline(heron) == "lead of \u2068\u0645\u0627\u0644\u0643\u2069 over Wren"
    arabic = headline(heron, say=say)
    assert "\u2068Wren\u2069" in arabic
    assert "\u2068\u0645\u0627\u0644\u0643" not in arabic


@pytest.mark.parametrize("width", [360, 760])
def test_time_goes_from_left_to_right_in_every_language_and_words_do_not(width: int) -> None:
    right_to_left, english = (parsed_in(code, width) for code in ("ar", "en"))
    for tag in ("path", "polygon", "circle"):
        assert [e.attrib for e in right_to_left.iter(f"{SVG}{tag}")] == [e.attrib for e in english.iter(f"{SVG}{tag}")]
    words = [e for e in right_to_left.iter(f"{SVG}text") if re.search("[a-z]", e.text or "")]
    assert words
    assert all(e.get("direction") == "rtl" for e in words)
    assert not [e for e in english.iter(f"{SVG}text") if e.get("direction")]
    assert right_to_left.get("{http://www.w3.org/XML/1998/namespace}lang") == "ar"


def parsed_in(code: str, width: int) -> ElementTree.Element:
    return ElementTree.fromstring(picture(TRACK, width=width, say=PlainSay(language(code))))


def test_words_that_are_too_long_are_pressed_together() -> None:
    class Long(PlainSay):
        def _ready(self, said: str) -> str:
            return said * 3

    root = ElementTree.fromstring(picture(TRACK, width=360, say=Long(language("pt"))))
    for element in root.iter(f"{SVG}text"):
        if (element.text or "").count("lead {points}".partition(" ")[0]) == 3:
            assert float(element.get("x", "0")) + float(element.get("textLength", "999")) <= 360


def test_its_colours_are_those_of_the_pages() -> None:
    sheet = files("scrutineer.design").joinpath("assets", "style.css").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6});", part)) for part in sheet.split("prefers-color-scheme: dark", 1))
    drawn = picture(TRACK)
    own = dict(re.findall(r"var\(--(\w+),(#\w{6})\)", drawn))
    assert own == {name: light[name] for name in own}
    assert dict(re.findall(r"--(\w+):(#\w{6})", drawn)) == {name: dark[name] for name in own}
