"""Statements as QR codes: the vectors of RFC 9285, one code for the largest sheet, and reading it back from bad pictures."""

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutineer.errors import StatementError, UsageError
from scrutineer.statements import SigningKey, TallySheet, parse_statement, sign_statement
from scrutineer.statements.qr import (
    MAX_QR_VERSION,
    QR_PREFIX,
    base45_decode,
    base45_encode,
    from_qr_text,
    qr_code,
    qr_svg,
    to_qr_text,
)
from scrutineer.statements.qr_image import MAX_IMAGE_PIXELS, qr_png, read_qr_image

pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: pip install 'scrutineer[scan]'")
Image = pytest.importorskip("PIL.Image", reason="pillow is not installed: pip install 'scrutineer[scan]'")
ImageFilter = pytest.importorskip("PIL.ImageFilter")

KEY = SigningKey(bytes(range(32)))

LARGE_SHEET = TallySheet(
    election=bytes(range(32)),
    station="region-07-province-112-district-0045-centre-19-s",
    contest="parliament-constituency-0107-lists",
    counts=tuple(4_096 + 1_733 * number % 61_000 for number in range(38)),
    blank=12_345,
    null=65_000,
    cast=1_265_432,
    voters=1_265_433,
    roll=1_999_999,
    time=1_805_000_000,
    image=bytes(range(100, 132)),
    records=bytes(range(200, 232)),
)
LARGE = sign_statement(LARGE_SHEET, f"station/{LARGE_SHEET.station}", KEY)


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
)
def test_vectors_of_rfc_9285(data: bytes, text: str) -> None:
    assert base45_encode(data) == text
    assert base45_decode(text) == data


@pytest.mark.parametrize("text", ["A", "ABCD", "GGX", ":::", "::", "V5", "abc", "AB\n", "ÄBC", "A_C"])
def test_what_base45_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(StatementError) as caught:
        base45_decode(text)
    assert str(caught.value).isprintable()


@given(st.binary(max_size=80))
def test_base45_reads_what_it_writes(data: bytes) -> None:
    assert base45_decode(base45_encode(data)) == data


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=20))
def test_a_base45_text_has_one_form(text: str) -> None:
    try:
        data = base45_decode(text)
    except StatementError:
        return
    assert base45_encode(data) == text


@pytest.mark.parametrize("text", ["", "HC1:BB8", "scr1:BB8", " SCR1:BB8", QR_PREFIX, QR_PREFIX + "A", QR_PREFIX + "0" * 200_000])
def test_text_that_is_no_statement_is_refused(text: str) -> None:
    with pytest.raises(StatementError) as caught:
        from_qr_text(text)
    assert str(caught.value).isprintable()


def test_a_sheet_of_38_options_fits_one_code() -> None:
    code = qr_code(LARGE)
    assert int(code.version) <= MAX_QR_VERSION
    assert (code.error, code.mode) == ("M", "alphanumeric")
    assert from_qr_text(to_qr_text(LARGE)) == LARGE
    assert re.fullmatch(r"<svg .*</svg>", qr_svg(LARGE), re.DOTALL)


def test_a_statement_too_large_for_one_code_is_refused(tmp_path: Path) -> None:
    for data in (b"\x00" * 965, b"\x00" * 60_000, sign_statement(LARGE_SHEET, "station/1", SigningKey(KEY.seed, "ml-dsa-44"))):
        with pytest.raises(StatementError, match="too many"):
            qr_code(data)
        with pytest.raises(StatementError):
            qr_png(data, tmp_path / "code.png")
    assert int(qr_code(b"\x00" * 963).version) == MAX_QR_VERSION


def picture(module: int = 6) -> "Image.Image":
    buffer = io.BytesIO()
    qr_code(LARGE).save(buffer, kind="png", scale=module, border=4)
    return Image.open(buffer).convert("L")


def on_paper(code: "Image.Image") -> "Image.Image":
    """The code as part of a larger sheet of paper."""
    paper = Image.new("L", (code.width * 3 // 2, code.height * 3 // 2), 235)
    paper.paste(code, (code.width // 4, code.height // 5))
    return paper


def in_perspective(code: "Image.Image") -> "Image.Image":
    """The code as seen by a camera that is held at an angle."""
    width, height = code.size
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    seen = [(width * 0.06, height * 0.04), (width * 0.95, height * 0.0), (width, height), (0, height * 0.93)]
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    transform = np.linalg.solve(np.array(rows), np.array(values)).tolist()
    return code.transform(code.size, Image.Transform.PERSPECTIVE, transform, Image.Resampling.BICUBIC, fillcolor=255)


TREATMENTS = {
    "as drawn": lambda code: code,
    "small": lambda code: code.resize((code.width // 2, code.height // 2)),
    "rotated by 90°": lambda code: code.rotate(90, expand=True),
    "rotated by 17°": lambda code: on_paper(code).rotate(17, expand=True, fillcolor=235, resample=Image.Resampling.BICUBIC),
    "blurred": lambda code: on_paper(code).filter(ImageFilter.GaussianBlur(2)),
    "in perspective": lambda code: in_perspective(on_paper(code)),
    "dark": lambda code: on_paper(code).point(lambda value: 40 + value // 4),
    "everything": lambda code: (
        in_perspective(on_paper(code)).rotate(-8, expand=True, fillcolor=235).filter(ImageFilter.GaussianBlur(1))
    ),
}


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_zxing_reads_the_code_back(treatment: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"sheet.{kind}"
    TREATMENTS[treatment](picture()).save(path, **({"quality": 55} if kind == "jpg" else {}))
    assert read_qr_image(path) == [LARGE]
    assert parse_statement(read_qr_image(path)[0]).payload == LARGE_SHEET


def test_every_statement_in_a_picture_is_read(tmp_path: Path) -> None:
    small = sign_statement(LARGE_SHEET._replace(counts=(1, 2)), "station/1", KEY)
    both = Image.new("L", (1700, 900), 255)
    for number, data in enumerate((LARGE, small)):
        qr_png(data, tmp_path / f"{number}.png")
        both.paste(Image.open(tmp_path / f"{number}.png"), (20 + number * 850, 20))
    both.save(tmp_path / "both.png")
    assert sorted(read_qr_image(tmp_path / "both.png")) == sorted([LARGE, small])


def hostile(folder: Path) -> dict[str, Path]:
    """Files that are no picture of a statement, by what is wrong with them."""
    import segno

    good = io.BytesIO()
    picture().save(good, "PNG")
    files = {
        "empty": b"",
        "text": b"not a picture",
        "cut": good.getvalue()[: len(good.getvalue()) // 2],
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "png header alone": good.getvalue()[:33],
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    Image.new("L", (200, 200), 255).save(folder / "blank", "PNG")
    side = int(MAX_IMAGE_PIXELS**0.5) + 100
    Image.new("1", (side, side), 1).save(folder / "huge", "PNG")
    segno.make_qr("https://example.org/").save(str(folder / "other.png"), scale=5)
    segno.make_qr(QR_PREFIX + "GGX").save(str(folder / "damaged.png"), scale=5)
    (folder / "folder").mkdir()
    return {path.name: path for path in folder.iterdir()} | {"missing": folder / "missing"}


def test_hostile_pictures_are_refused_in_one_line(tmp_path: Path) -> None:
    expected = {"blank": StatementError, "other.png": StatementError, "damaged.png": StatementError}
    for name, path in hostile(tmp_path).items():
        with pytest.raises(expected.get(name, UsageError)) as caught:
            read_qr_image(path)
        assert str(caught.value).isprintable(), name


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        qr_png(LARGE, tmp_path / "missing" / "code.png")


@pytest.mark.parametrize("module", ["PIL", "zxingcpp"])
def test_missing_packages_are_named(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=r"scrutineer\[scan\]"):
        read_qr_image(tmp_path / "sheet.png")
