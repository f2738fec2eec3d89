"""The paper record and the slip: what they say, what they do not say, and that nothing of them is left behind."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typst
import zxingcpp
from PIL import Image

from ballot_helpers import every_contest
from kiosk_helpers import NAMES
from scrutineer.ballots.confirmation import spoken, tracking_words
from scrutineer.design import typesetting
from scrutineer.errors import BallotError
from scrutineer.language import LANGUAGES
from scrutineer.station.voting.choices import Choices, Marks
from scrutineer.station.voting.paper import PaperRecord, Slip, code_lines, papers
from scrutineer.station.voting.printer import CommandPrinter, FolderPrinter
from scrutineer.station.voting.readable import readable

CODE = bytes(range(32))
WORDS, SERIAL = tracking_words(CODE), spoken(bytes(range(100, 108)))
CHOICES = Choices(
    1,
    {2: Marks((1, 0, 0, 0, 0), ("Corn Crake",)), 3: Marks((3, 1)), 4: Marks((1, 1), insisted=True), 5: Marks((2, 1))},
)
CONTESTS = readable(every_contest(), 1, CHOICES, NAMES)


def record(code: str = "en") -> PaperRecord:
    return PaperRecord(code, "Aviary", "Old Granary, table 3", CONTESTS, SERIAL, "Feather List")


def text(pdf: bytes, tmp_path: Path, page: int = 1) -> str:
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf)
    try:
        made = subprocess.run(
            ["pdftotext", "-f", str(page), "-l", str(page), "-layout", path, "-"], capture_output=True, check=True, timeout=30
        )
    except FileNotFoundError:
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    return " ".join(made.stdout.decode().split())


def picture(pdf: bytes, tmp_path: Path, page: int) -> Image.Image:
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf)
    try:
        subprocess.run(
            ["pdftoppm", "-f", str(page), "-l", str(page), "-singlefile", "-r", "203", "-gray", "-png", path, tmp_path / "page"],
            check=True,
            timeout=30,
        )
    except FileNotFoundError:
        pytest.skip("pdftoppm is not installed: apt-get install poppler-utils")
    return Image.open(tmp_path / "page.png")


def test_the_record_says_every_choice_in_words(tmp_path: Path) -> None:
    said = text(papers([record()]), tmp_path)
    for part in (
        "Paper ballot",
        "Aviary",
        "Old Granary, table 3",
        "Party chosen for the whole ballot: Feather List",
        "Warden of the garden ■ Winifred Wren",
        "■ Corn Crake written in 1 more choice was allowed.",
        "■ The elm 3 points ■ The oak 1 point 1 point not given.",
        "■ Yes ■ No Not counted: marked in a way that this contest does not allow.",
        "1. Oswin Owl 2. Winifred Wren",
    ):
        assert part in said, part
    assert said.replace(" ", "").count(SERIAL) == 1
    assert "Provisional" not in said


def test_a_provisional_record_says_so_and_a_blank_contest_too(tmp_path: Path) -> None:
    blank = readable(every_contest(), 2, Choices(), NAMES)
    said = text(papers([PaperRecord("en", "Aviary", "Old Granary", blank, SERIAL, provisional=True)]), tmp_path)
    assert "Provisional ballot" in said
    assert said.count("Nothing chosen: left blank.") == 2


def test_nothing_leads_from_one_paper_to_the_other(tmp_path: Path) -> None:
    pdf = papers([record(), Slip("en", "Aviary", WORDS, "https://count.example")])
    box, own = (text(pdf, tmp_path, page).replace(" ", "") for page in (1, 2))
    assert WORDS in own
    assert WORDS not in box
    assert SERIAL in box
    assert SERIAL not in own
    assert not any(name in own for name in ("Wren", "Owl", "Corn", "elm", "FeatherList", "OldGranary"))
    # A time or a number would put papers in an order. The digits that stand here are points, places and what was left.
    digits = [char for char in box.replace("table3", "") if char.isdigit()]
    assert digits == list("131112"), digits


def test_the_slip_is_read_by_a_telephone_and_says_what_became_of_a_test(tmp_path: Path) -> None:
    for slip, said in (
        (Slip("en", "Aviary", WORDS, "https://count.example"), "Look it up at https://count.example"),
        (Slip("en", "Aviary", WORDS, fate="tested"), "This ballot was opened as a test. It is not counted."),
    ):
        pdf = papers([slip])
        assert said in text(pdf, tmp_path)
        [code] = zxingcpp.read_barcodes(picture(pdf, tmp_path, 1))
        assert code.text == WORDS


def test_papers_are_as_wide_as_a_receipt_and_as_long_as_they_need(tmp_path: Path) -> None:
    sizes = [picture(papers([one]), tmp_path, 1).size for one in (record(), Slip("en", "Aviary", WORDS))]
    assert {round(width / 203 * 25.4) for width, _ in sizes} == {80}
    assert sizes[0][1] > sizes[1][1]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_prints_with_the_fonts_that_are_here(code: str, tmp_path: Path) -> None:
    pdf = papers([record(code), Slip(code, "Aviary", WORDS)])
    assert "Winifred Wren" in text(pdf, tmp_path)
    [read] = zxingcpp.read_barcodes(picture(pdf, tmp_path, 2))
    assert read.text == WORDS


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_machine_without_fonts_of_its_own_prints_all_the_same(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = typst.Compiler(b"", font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True))
    monkeypatch.setattr(typesetting, "_compiler", lambda: bare)
    written = readable(every_contest(), 1, Choices(by_hand={2: Marks((0,) * 5, ("Águia البومة",))}), NAMES)
    pdf = papers([PaperRecord(code, "Aviary", "المحطة", written, SERIAL)])
    said = text(pdf, tmp_path)
    assert "Águia" in said
    assert "البومة" in said or "ةموبلا" in said


def test_arabic_names_are_written_with_joined_letters(tmp_path: Path) -> None:
    written = readable(every_contest(), 1, Choices(by_hand={2: Marks((0,) * 5, ("البومة",))}), NAMES)
    pdf = papers([PaperRecord("ar", "انتخابات الحديقة", "المحطة", written, SERIAL)])
    said = text(pdf, tmp_path)
    assert "البومة" in said or "ةموبلا" in said
    assert "انتخابات" in said or "تاباختنا" in said


def test_the_same_content_gives_the_same_bytes() -> None:
    content = [record("ar"), Slip("ar", "Aviary", WORDS)]
    fresh = (
        "import sys; sys.path.insert(0, 'tests'); sys.path.insert(0, 'tests/unit/station/voting')\n"
        "from test_paper import *\n"
        "sys.stdout.buffer.write(papers([record('ar'), Slip('ar', 'Aviary', WORDS)]))\n"
    )
    root = Path(__file__).parents[4]
    made = subprocess.run([sys.executable, "-c", fresh], cwd=root, capture_output=True, check=True, timeout=60)
    assert made.stdout == papers(content)
    assert papers([record("en")]) != papers(content[:1])


def test_several_threads_print() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: papers([record(), Slip("en", "Aviary", WORDS)]), range(24)))
    assert len(made) == 1


def test_nothing_in_a_name_is_taken_for_a_command() -> None:
    nasty = '#panic("x") $x$ *b* \\u{0} "] #sys.inputs <lab> @ref // /* '
    written = readable(every_contest(), 1, Choices(by_hand={2: Marks((0,) * 5, (nasty[:40].strip(),))}), NAMES)
    assert papers([PaperRecord("en", nasty, nasty, written, SERIAL), Slip("en", nasty, WORDS, nasty)]).startswith(b"%PDF")


def test_codes_stand_in_lines_of_two_words() -> None:
    assert code_lines("babad-bamag-bibaj-bimal-boban-bomar") == ["babad-bamag-", "bibaj-bimal-", "boban-bomar"]
    assert code_lines("babad") == ["babad"]


def test_the_folder_holds_one_paper_until_it_is_cleared(tmp_path: Path) -> None:
    printer = FolderPrinter(tmp_path / "print")
    printer.clear()
    printer.print(b"the first paper, which is the longer one")
    assert stat.S_IMODE(printer.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(printer.file.parent.stat().st_mode) == 0o700
    watching = printer.file.open("rb")
    printer.print(b"the second")
    assert [path.name for path in printer.file.parent.iterdir()] == ["papers.pdf"]
    assert printer.file.read_bytes() == b"the second"
    printer.clear()
    assert list(printer.file.parent.iterdir()) == []
    # The same file was used throughout, and its bytes were overwritten before it was removed.
    assert watching.read() == bytes(len(b"the second"))
    watching.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "print").write_text("")
    with pytest.raises(BallotError, match="cannot be written"):
        FolderPrinter(tmp_path / "print").print(b"paper")
    (tmp_path / "full/papers.pdf").mkdir(parents=True)
    with pytest.raises(BallotError, match="remove it before going on"):
        FolderPrinter(tmp_path / "full").clear()


def test_a_command_gets_the_paper_and_no_file_is_made(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    CommandPrinter(["sh", "-c", f"cat > {taken}"]).print(b"paper")
    assert taken.read_bytes() == b"paper"
    with pytest.raises(BallotError, match="ended with 3"):
        CommandPrinter(["sh", "-c", "cat > /dev/null; exit 3"]).print(b"paper")
    with pytest.raises(BallotError, match="did not print"):
        CommandPrinter([str(tmp_path / "no-such-printer")]).print(b"paper")
    with pytest.raises(BallotError, match="empty"):
        CommandPrinter([])
