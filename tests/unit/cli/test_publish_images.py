"""`publish --images`, from a folder of photographs to a site that `verify` passes."""

import hashlib
from pathlib import Path

from cli_helpers import call, refused
from scrutineer.cli.office import Office
from scrutineer.election import station_issuer
from scrutineer.statements import TallySheet, sign_statement

PHOTO = b"\xff\xd8\xff a sheet of paper"


def test_photographs_come_to_the_pages_of_their_stations(tmp_path: Path) -> None:
    folder, site, photos = tmp_path / "birds", tmp_path / "site", tmp_path / "photos"
    call("new", folder)
    call("open", folder)
    office = Office.load(folder)
    digest = hashlib.sha256(PHOTO).digest()
    sheet = TallySheet(office.election.hash, "north-1", "president", (10, 5, 3, 2), 1, 1, 22, image=digest)
    issuer = station_issuer("north-1")
    log = office.open_log()
    log.append([sign_statement(sheet, issuer, office.stations_seed().derive(issuer))])
    log.close()
    photos.mkdir()
    (photos / "IMG 0001.JPG").write_bytes(PHOTO)
    (photos / "IMG 0002.JPG").write_bytes(b"\xff\xd8\xff a bird")
    (photos / "notes.txt").write_text("north-1")
    published = call("publish", folder, "--to", site, "--images", photos, "--languages", "en")
    assert published.err == "scrutineer: not published: notes.txt (not a JPEG, PNG, WebP or PDF file)\n"
    assert [path.name for path in (site / "images").iterdir()] == [f"{digest.hex()}.jpg"]
    (page,) = site.glob("stations/*/north-1.html")
    assert f'src="../../images/{digest.hex()}.jpg"' in page.read_text()
    assert call("verify", site, "--definition", office.election.hash.hex(), "--json").json["passed"] is True
    call("publish", folder, "--to", site)
    assert (site / "images" / f"{digest.hex()}.jpg").read_bytes() == PHOTO
    refused("publish", folder, "--to", site, "--images", tmp_path / "nowhere", code=2)
