"""Codes in photographs: what is seen and cannot be read is said, and what only looks like a code is not."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from intake_helpers import station_key
from photographs import Conditions, page_of_codes, photograph
from scrutineer.statements import TallySheet, sign_statement
from scrutineer.statements.qr import qr_codes
from scrutineer.statements.qr_image import look_at_picture

pytest.importorskip("PIL.Image", reason="pillow is not installed: pip install 'scrutineer[scan]'")
pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: pip install 'scrutineer[scan]'")

CONDITIONS = Conditions(turned=7, angle=0.03, light=0.5, blur=0.5, noise=4, quality=75, size=(1800, 1350))


@pytest.mark.parametrize("trial", [14, 17, 133])
def test_corners_of_three_codes_are_no_fourth_one(trial: int, tmp_path: Path) -> None:
    """In these pictures corners of several codes lie as those of one more would, which then cannot be read."""
    codes = []
    for number in range(3):
        election = hashlib.sha256(bytes((trial, number))).digest()
        sheet = TallySheet(election, "north-1", "president", (trial, number))
        code = qr_codes(sign_statement(sheet, "station/n1", station_key("n1")))[0]
        codes.append(tmp_path / f"{number}.png")
        code.save(str(codes[-1]), kind="png", scale=6, border=4)
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(photograph(page_of_codes(codes), CONDITIONS, np.random.default_rng(0)))
    seen = look_at_picture(picture)
    assert (len(seen.texts), seen.unread) == (3, 0)


def test_a_code_that_was_seen_and_could_not_be_read_is_said(tmp_path: Path) -> None:
    from PIL import Image

    sheet = TallySheet(bytes(32), "north-1", "president", (1, 2))
    code = qr_codes(sign_statement(sheet, "station/n1", station_key("n1")))[0]
    path = tmp_path / "whole.png"
    code.save(str(path), kind="png", scale=6, border=4)
    with Image.open(path) as drawn:
        picture = drawn.convert("L")
    pixels = np.array(picture)
    side = pixels.shape[0]
    pixels[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 255
    Image.fromarray(pixels).save(path)
    seen = look_at_picture(path)
    assert (seen.texts, seen.unread) == ((), 1)
