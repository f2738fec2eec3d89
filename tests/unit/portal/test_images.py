import hashlib
import io
import os
import pickle
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Picture

from observed_samples import PRESIDENT, WATCH, Said, admit, copy, made_up, rows, sheet
from scrutineer.election import Election
from scrutineer.errors import PublicationError
from scrutineer.portal.images import (
    MAX_IMAGE_SIZE,
    ImageFolder,
    ending_of,
    image_files,
    image_name,
    image_path,
    named_images,
    published_images,
)
from scrutineer.portal.pages import Pages
from scrutineer.portal.record import Image
from scrutineer.portal.station_pages import station_pages
from scrutineer.portal.view import View
from site_pages import read_page


def picture(kind: str, colour: str = "white") -> bytes:
    data = io.BytesIO()
    Picture.new("RGB", (40, 60), colour).save(data, kind)
    return data.getvalue()


PHOTO, SCAN, OTHER, PAPER = picture("JPEG"), picture("PNG"), picture("WEBP"), b"%PDF-1.7\n%%EOF\n"


def hash_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def what(election: Election) -> Iterable[Said]:
    yield admit(election, WATCH, "Bird Watch")
    yield sheet(election, "n0", (10, 5, 1), image=hash_of(PHOTO))
    yield sheet(election, "n1", (10, 5, 1), image=hash_of(PAPER))
    yield copy(election, WATCH, "n0", (10, 5, 1), image=hash_of(OTHER))
    yield sheet(election, "n2", (10, 5, 1), image=hash_of(b"nobody has this one"))


def folder_of(path: Path) -> Path:
    (path / "north").mkdir(parents=True)
    (path / "a photo.JPG").write_bytes(PHOTO)
    (path / "north" / "scan.png").write_bytes(SCAN)
    (path / "north" / "copy").write_bytes(OTHER)
    (path / "north" / "paper.pdf").write_bytes(PAPER)
    return path


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (PHOTO, "jpg"),
        (SCAN, "png"),
        (OTHER, "webp"),
        (PAPER, "pdf"),
        (b"<svg", None),
        (b"GIF89a", None),
        (b"", None),
        (b"RIFF", None),
    ],
)
def test_the_type_is_told_by_the_bytes(data: bytes, ending: str | None) -> None:
    assert ending_of(data[:12]) == ending


def test_files_of_a_folder_are_found_by_their_bytes_and_others_are_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos")
    (folder / "notes.txt").write_text("Table 3")
    (folder / "large.jpg").write_bytes(PHOTO + bytes(MAX_IMAGE_SIZE))
    (folder / ".hidden.jpg").write_bytes(SCAN + b"x")
    (folder / "link.png").symlink_to(folder / "north" / "scan.png")
    found = ImageFolder(folder)
    images = found.find()
    assert {digest: image.ending for digest, image in images.items()} == {
        hash_of(PHOTO): "jpg",
        hash_of(SCAN): "png",
        hash_of(OTHER): "webp",
        hash_of(PAPER): "pdf",
    }
    assert found.skipped == [("large.jpg", "larger than 8 MB"), ("notes.txt", "not a JPEG, PNG, WebP or PDF file")]
    assert pickle.loads(pickle.dumps(images[hash_of(PHOTO)])).load() == PHOTO
    (folder / "a photo.JPG").write_bytes(SCAN + b"turned")
    os.utime(folder / "a photo.JPG", ns=(1, 1))
    assert found.find().keys() == images.keys() - {hash_of(PHOTO)} | {hash_of(SCAN + b"turned")}


def test_only_what_a_statement_names_is_published_with_its_stations(tmp_path: Path) -> None:
    log = made_up(rows(), (PRESIDENT,), what).log
    named = named_images(ImageFolder(folder_of(tmp_path / "photos")).find(), log)
    assert {digest: image.stations for digest, image in named.items()} == {
        hash_of(PHOTO): ("n0",),
        hash_of(OTHER): ("n0",),
        hash_of(PAPER): ("n1",),
    }
    files = {file.path: b"".join(file.chunks) for file in image_files(named)}
    assert list(files) == sorted(files)
    assert files[f"images/{hash_of(PHOTO).hex()}.jpg"] == PHOTO
    assert len(files) == 3
    again = published_images([*files, "index.html", "images/other.jpg"], files.__getitem__)
    assert {digest: (image.ending, image.load()) for digest, image in again.items()} == {
        hash_of(PHOTO): ("jpg", PHOTO),
        hash_of(OTHER): ("webp", OTHER),
        hash_of(PAPER): ("pdf", PAPER),
    }


def test_what_arrives_later_names_images_that_are_there_already(tmp_path: Path) -> None:
    log = made_up(rows(), (PRESIDENT,), what).log
    asked: list[tuple[int, int]] = []

    def entries(start: int, stop: int) -> list[bytes]:
        asked.append((start, stop))
        return log[start:stop]

    folder = ImageFolder(folder_of(tmp_path / "photos"))
    assert [set(folder.named(entries, size)) for size in (2, 3, 5)] == [
        set(),
        {hash_of(PHOTO)},
        {hash_of(PHOTO), hash_of(PAPER), hash_of(OTHER)},
    ]
    (tmp_path / "photos" / "late.pdf").write_bytes(b"%PDF-late")
    folder.named(entries, 6)
    assert asked == [(0, 2), (2, 3), (3, 5), (0, 6)]


@pytest.mark.parametrize("image", [Image("jpg", lambda: PHOTO + b"x"), Image("png", lambda: PHOTO)])
def test_other_bytes_than_those_of_the_hash_are_refused(image: Image) -> None:
    with pytest.raises(PublicationError, match=f"images/{hash_of(PHOTO).hex()}"):
        [b"".join(file.chunks) for file in image_files({hash_of(PHOTO): image})]


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos")
    found = ImageFolder(folder).find()
    (folder / "a photo.JPG").unlink()
    with pytest.raises(PublicationError, match=r"a photo\.JPG cannot be read any more"):
        [b"".join(file.chunks) for file in image_files(found)]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="nowhere"):
        ImageFolder(tmp_path / "nowhere").find()


@pytest.mark.skipif(os.name != "posix", reason="paths are those of a site")
def test_paths_say_what_they_are() -> None:
    path = image_path(hash_of(PHOTO), Image("jpg", lambda: PHOTO))
    assert image_name(path) == (hash_of(PHOTO), "jpg")
    digits = hash_of(PHOTO).hex()
    wrong = [
        f"image/{digits}.jpg",
        f"images/{digits}.svg",
        f"images/{digits.upper()}.jpg",
        f"images/{digits[1:]}.jpg",
        f"images/{digits}",
    ]
    assert [image_name(other) for other in wrong] == [None] * 5


def test_pages_show_the_images_that_there_are(tmp_path: Path) -> None:
    given = made_up(rows(), (PRESIDENT,), what)
    named = named_images(ImageFolder(folder_of(tmp_path / "photos")).find(), given.log)
    record = replace(given.record, images=named)
    pages = {file.path: b"".join(file.chunks) for file in station_pages(Pages(View(record)))}
    first = pages["stations/north/n0.html"].decode()
    assert re.findall(r'<img src="([^"]*)" alt="[^"]+" loading="lazy">', first) == [
        f"../../images/{hash_of(PHOTO).hex()}.jpg",
        f"../../images/{hash_of(OTHER).hex()}.webp",
    ]
    second = pages["stations/north/n1.html"]
    assert "img" not in read_page(second).tags
    assert f"../../images/{hash_of(PAPER).hex()}.pdf" in read_page(second).links
    assert hash_of(b"nobody has this one").hex() in pages["stations/north/n2.html"].decode()
    assert "images/" not in pages["stations/north/n2.html"].decode()
