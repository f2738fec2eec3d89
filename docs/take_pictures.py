"""Takes the pictures of the documentation from a published site, in a real browser: `python docs/take_pictures.py out/demo/site`.

Run it after a change that readers would see. The site is served on this machine alone; every picture is what a reader sees.
"""

import functools
import http.server
import io
import sys
import threading
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER: Final = Path(__file__).parent / "pictures"
CHROMIUM: Final = "/usr/bin/chromium"
PHONE: Final = (390, 844)
WIDE: Final = (1180, 900)
COLOURS: Final = 96
"""A page has few colours; with so many a picture weighs a quarter."""

Shot = tuple[str, str, tuple[int, int], str]


def shots(site: Path) -> list[Shot]:
    """Name, page, window and colour scheme of every picture."""
    station = min(site.glob("stations/*/*.html")).relative_to(site).as_posix()
    region = sorted(path for path in site.glob("units/*.html") if "-" not in path.stem and "~" not in path.stem)[1]
    return [
        ("front", "index.html", WIDE, "light"),
        ("front-phone", "index.html", PHONE, "light"),
        ("front-arabic-phone", "ar/index.html", PHONE, "light"),
        ("front-dark-phone", "index.html", PHONE, "dark"),
        ("place", region.relative_to(site).as_posix(), WIDE, "light"),
        ("station-phone", station, PHONE, "light"),
        ("night", "night.html", WIDE, "light"),
        ("data", "data.html", WIDE, "light"),
    ]


def main(site: Path) -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, page, (width, height), scheme in shots(site):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            opened = context.new_page()
            opened.goto(f"http://127.0.0.1:{server.server_port}/{page}")
            opened.wait_for_load_state("networkidle")
            picture = Image.open(io.BytesIO(opened.screenshot()))
            picture.convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)
            print(f"{name}.png from {page}")  # noqa: T201
            context.close()
        browser.close()
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
