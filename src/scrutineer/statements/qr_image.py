"""Statements in pictures: QR codes written as PNG files and read back from photographs and scans.

A picture is looked at in several ways (as it is; with another threshold; made even in its light; smaller, which takes away
noise; larger), because each finds codes that the others miss. Reading needs the packages of the extra `scan` (pillow and
zxing-cpp); everything else in this package works without them.
"""

import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from scrutineer.errors import StatementError, UsageError
from scrutineer.statements.qr import QrCollector, qr_code

MAX_IMAGE_SIZE: Final = 64 * 1024 * 1024  # bytes
MAX_IMAGE_PIXELS: Final = 120_000_000  # the largest sensors of telephones have 108 to 200 million, and store fewer
MIN_HALVED: Final = 1_600  # pixels; smaller pictures lose more than their noise when they are halved
MAX_DOUBLED: Final = 6_000_000  # pixels; larger pictures have enough of them
_ROWS: Final = 256  # of a picture that are worked on at a time
IMAGE_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP")


def qr_png(data: bytes, path: Path, module: int = 6) -> None:
    """Write the QR code of a statement as a PNG file, `module` pixels for each module.

    Raises StatementError where the statement is too large for one code, UsageError where the file cannot be written.
    """
    code = qr_code(data)
    try:
        code.save(str(path), kind="png", scale=module, border=4)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from error


class _Box(NamedTuple):
    """Where a code lies, as shares of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, position: Any, size: tuple[int, int]) -> "_Box":
        corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
        across, down = [corner.x / size[0] for corner in corners], [corner.y / size[1] for corner in corners]
        return cls(min(across), min(down), max(across), max(down))

    def is_somewhere(self) -> bool:
        """Whether it takes any space: corners of several codes can look like one more, which has no place and is none."""
        return self.right > self.left and self.bottom > self.top

    def meets(self, other: "_Box") -> bool:
        """Whether the middle of one lies in the other: two sightings of the same code."""
        return self.holds_middle(other) or other.holds_middle(self)

    def holds_middle(self, other: "_Box") -> bool:
        """Whether the middle of the other lies in this one."""
        across, down = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return self.left <= across <= self.right and self.top <= down <= self.bottom


class Seen(NamedTuple):
    """What was seen in a picture: the texts of its codes, and how many more were seen and could not be read."""

    texts: tuple[str, ...]
    unread: int


def look_at_picture(path: Path) -> Seen:
    """Find the QR codes in a picture, whoever made them, from any angle; each text once, in a fixed order.

    Raises UsageError for a file that cannot be read or is not a picture, and where the extra `scan` is not installed.
    """
    try:
        import zxingcpp
        from PIL import Image, ImageFilter, ImageOps
    except ImportError as error:
        raise UsageError("reading QR codes from pictures needs two more packages: pip install 'scrutineer[scan]'") from error
    picture = _open(Image, path)
    texts: set[str] = set()
    read: list[_Box] = []
    failed: list[_Box] = []

    def look(view: Any, binarizer: Any) -> None:
        for code in zxingcpp.read_barcodes(
            view,
            formats=zxingcpp.BarcodeFormat.QRCode,
            text_mode=zxingcpp.TextMode.Plain,
            binarizer=binarizer,
            return_errors=True,
        ):
            box = _Box.of(code.position, view.size)
            if code.valid:
                texts.add(code.text)
                read.append(box)
            elif box.is_somewhere():
                failed.append(box)

    def unread() -> int:
        """How many codes were seen in one view and read in none."""
        left: list[_Box] = []
        for box in failed:
            if not any(other.meets(box) for other in (*read, *left)):
                left.append(box)
        return len(left)

    local, single = zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram
    look(picture, local)
    look(picture, single)
    if not texts or unread():
        # The light of the page alone, much blurred, is taken out: what stays is as bright in the shadow as beside it.
        small = picture.resize((max(1, picture.width // 16), max(1, picture.height // 16)), Image.Resampling.BOX)
        light = small.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(4)).resize(picture.size)
        even = _divided(Image, picture, light)
        views = [even, even.filter(ImageFilter.MedianFilter(3)), ImageOps.autocontrast(picture, cutoff=1)]
        if min(picture.size) > MIN_HALVED:
            views.append(even.reduce(2))
        if picture.width * picture.height < MAX_DOUBLED:
            views.append(even.resize((even.width * 2, even.height * 2), Image.Resampling.BICUBIC))
        for view in views:
            look(view, local)
            if texts and not unread():
                break
    return Seen(tuple(sorted(texts)), unread())


def read_qr_image(path: Path) -> list[bytes]:
    """The bytes of every statement whose codes are in a picture, from any angle; other codes are passed over.

    Raises UsageError like `look_at_picture`; StatementError for a picture without a whole statement, and for damaged text.
    """
    seen = look_at_picture(path)
    collector = QrCollector()
    foreign = 0
    for text in seen.texts:
        foreign += collector.add(text) is None
    for name, total, missing in collector.incomplete():
        raise StatementError(
            f"{path}: of statement {name}, which is spread over {total} codes, {parts_words(missing)}; take the picture again, "
            "or give pictures of all its codes to `scrutineer submit --image`"
        )
    if not collector.statements:
        raise StatementError(
            f"{path}: no QR code of a statement was found; take the picture again, closer, sharp and evenly lit"
            + (f" ({foreign} other codes are in it)" if foreign else "")
        )
    return collector.statements


def parts_words(missing: tuple[int, ...]) -> str:
    """What is wrong with a statement of which not all parts were read, in words."""
    if not missing:
        return "all parts were read, and they do not fit together: one of them was not printed from this statement"
    if len(missing) == 1:
        return f"part {missing[0]} is missing"
    return f"parts {', '.join(map(str, missing[:-1]))} and {missing[-1]} are missing"


def _divided(image: Any, picture: Any, light: Any) -> Any:
    """The picture with the light on the page taken out."""
    seen, lit = np.asarray(picture), np.asarray(light)
    even = np.empty(seen.shape, np.uint8)
    # A few rows at a time: a small file may hold a picture that would need gigabytes as one array of fractions.
    for row in range(0, len(seen), _ROWS):
        rows = slice(row, row + _ROWS)
        ratio = np.asarray(seen[rows], np.float32) * 235 / np.maximum(np.asarray(lit[rows], np.float32), 1)
        even[rows] = ratio.clip(0, 255)
    return image.fromarray(even)


def _open(image: Any, path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_IMAGE_SIZE:
            raise UsageError(f"{path}: the file has more than {MAX_IMAGE_SIZE >> 20} MiB; give a smaller picture")
        with warnings.catch_warnings():
            # Pillow warns of large pictures; the size is checked below, before any pixel is decoded.
            warnings.simplefilter("ignore")
            picture = image.open(path, formats=IMAGE_FORMATS)
            if picture.width * picture.height > MAX_IMAGE_PIXELS:
                raise UsageError(
                    f"{path}: {picture.width} × {picture.height} pixels are too many; give a picture of at most "
                    f"{MAX_IMAGE_PIXELS // 1_000_000} million"
                )
            return picture.convert("L")
    except UsageError:
        raise
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file; check the path") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path}: is a folder; give a picture") from error
    except Exception as error:
        # Damaged pictures fail in the decoder of each format with errors of many kinds.
        raise UsageError(f"{path}: cannot be read as a picture; give one of {', '.join(IMAGE_FORMATS)}") from error
