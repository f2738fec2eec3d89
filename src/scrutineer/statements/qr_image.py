"""Statements in pictures: QR codes written as PNG files and read back from photographs and scans.

Reading needs the packages of the extra `scan` (pillow and zxing-cpp); everything else in this package works without them.
"""

import warnings
from pathlib import Path
from typing import Any, Final

from scrutineer.errors import StatementError, UsageError
from scrutineer.statements.qr import QR_PREFIX, from_qr_text, qr_code

MAX_IMAGE_SIZE: Final = 64 * 1024 * 1024  # bytes
MAX_IMAGE_PIXELS: Final = 120_000_000  # the largest sensors of telephones have 108 to 200 million, and store fewer
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


def read_qr_image(path: Path) -> list[bytes]:
    """The bytes of every statement whose QR code is in a picture, from any angle; other codes are passed over.

    Raises UsageError for a file that cannot be read or is not a picture, and where the extra `scan` is not installed;
    StatementError for a picture without a statement's code, and for one whose text is damaged.
    """
    try:
        import zxingcpp
        from PIL import Image
    except ImportError as error:
        raise UsageError("reading QR codes from pictures needs two more packages: pip install 'scrutineer[scan]'") from error
    picture = _open(Image, path)
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode, text_mode=zxingcpp.TextMode.Plain)
    texts = sorted({code.text for code in found if code.text.startswith(QR_PREFIX)})
    if not texts:
        raise StatementError(
            f"{path}: no QR code of a statement was found; take the picture again, closer, sharp and evenly lit"
            + (f" ({len(found)} other codes are in it)" if found else "")
        )
    return [from_qr_text(text) for text in texts]


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
