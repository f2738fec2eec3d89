"""A reader's browser at work: how long the page of a station takes to check itself, and what a search reads and takes.

    python bench/bench_check.py [STATIONS [ROUNDS]]

Makes a simulated election of STATIONS (30,000) in one language with the pages of a few stations, serves it on this machine, and
opens it in Chromium. The check fetches the definition, the list of keys, the checkpoint and the tiles it needs; the browser's own
clock says how long it takes from the press of the button to the outcome (to reach: 300 ms). Its floor is measured in the same
browser: the same files fetched and hashed whole, and as many signatures verified, with nothing read or compared. For the search:
the bytes and files that each query reads with an empty cache (to reach: 150,000 bytes), and the milliseconds to its hits.
"""

import sys
from pathlib import Path
from statistics import median
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from playwright.sync_api import Page, sync_playwright

from portal_helpers import Published, republic
from scrutineer.portal import SiteOptions, render_head, render_tiles
from scrutineer.portal.site import Site, render_definition
from site_servers import answering, send

CHROMIUM: Final = "/usr/bin/chromium"
TYPES: Final = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css", "json": "application/json"}
PAUSE: Final = 120  # milliseconds that search.js waits for another key
FLOOR: Final = """async ([home, files, signatures]) => {
  const began = performance.now();
  const all = await Promise.all(files.map((file) => fetch(home + file).then((answer) => answer.arrayBuffer())));
  for (const bytes of all) await crypto.subtle.digest('SHA-256', bytes);
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify']);
  const signed = await crypto.subtle.sign({ name: 'Ed25519' }, pair.privateKey, new Uint8Array(400));
  for (let n = 0; n < signatures; n += 1) {
    await crypto.subtle.verify({ name: 'Ed25519' }, pair.publicKey, signed, new Uint8Array(400));
  }
  return performance.now() - began;
}"""


def main(stations: int, rounds: int) -> None:
    election = republic(stations, seed=1).with_options(SiteOptions(languages=("en",)))
    files, shown = site_of(election, range(0, stations, max(1, stations // rounds)))
    asked: list[str] = []

    def answer(handler, path: str) -> None:  # type: ignore[no-untyped-def]
        bare = path.partition("?")[0]
        asked.append(bare)
        data = files.get(bare)
        content = TYPES.get(bare.rpartition(".")[2], "application/octet-stream")
        send(handler, b"", 404) if data is None else send(handler, data, content_type=content)

    with answering(answer) as root, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        taken, floors = [], []
        for path in shown:
            page = browser.new_context().new_page()
            page.goto(f"{root}/{path}")
            asked.clear()
            taken.append(check(page))
            read = [one for one in asked if not one.startswith("assets/")]
            floors.append(page.evaluate(FLOOR, [f"{root}/", read, 3]))
            page.context.close()
        size = sum(len(files[one]) for one in read)
        print(f"{stations:,} stations: one sheet checked in {median(taken):.0f} ms (most {max(taken):.0f}, {len(taken)} sheets)")
        print(f"  {len(read)} files of {size:,} bytes fetched; the list of keys has {len(files['definition/register.csv']):,}")
        print(
            f"  the same fetched, hashed and verified alone: {median(floors):.0f} ms; ratio {median(taken) / median(floors):.2f}"
        )
        units = election.record.election.units
        some = int(units.station_units[stations // 2])
        parent = units.names[units.parent[some]]
        above = units.names[units.path(some)[-3]]
        for query in (units.ids[some], parent, f"{parent} {above}", f"{above} {units.names[some]}", parent[:2]):
            page = browser.new_context().new_page()
            page.goto(f"{root}/search.html")
            asked.clear()
            milliseconds = search(page, query)
            read = [one for one in asked if one.startswith("search/")]
            size = sum(len(files[one]) for one in read)
            print(f"  search {query!r}: {milliseconds:.0f} ms, {len(read)} files, {size:,} bytes")
            page.context.close()
        browser.close()


def site_of(election: Published, stations: range) -> tuple[dict[str, bytes], list[str]]:
    """The files that a reader of these stations' pages can ask for, and the paths of their pages."""
    site = Site(election.record)
    files = {file.path: b"".join(file.chunks) for file in render_definition(election.record)}
    pages: list[str] = []
    for part in site.parts():
        wanted = [place for place in part.places if place in stations]
        if part.what == "stations" and wanted:
            for file in site.render(part._replace(places=wanted)):
                files[file.path] = b"".join(file.chunks)
                if b"data-statement" in files[file.path]:
                    pages.append(file.path)
    for source in (site.shared(), render_tiles(election.record, election.entries), render_head(election.record)):
        files |= {file.path: b"".join(file.chunks) for file in source}
    return files, pages


def check(page: Page) -> float:
    page.get_by_role("button", name="Check in this browser").click()
    result = page.locator(".check-result[data-state]")
    result.wait_for()
    if result.get_attribute("data-state") != "good":
        sys.exit(f"the check of {page.url} did not end well: {result.inner_text()}")
    return float(result.get_attribute("data-ms") or 0)


def search(page: Page, query: str) -> float:
    began = page.evaluate("performance.now()")
    page.locator("#q").fill(query)
    page.wait_for_function("query => document.getElementById('search').dataset.shown === query", arg=query)
    taken: float = page.evaluate("performance.now()") - began - PAUSE
    return taken


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
