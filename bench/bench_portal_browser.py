"""Pages on a slow phone: headless Chromium, 1.6 Mbit/s, 150 ms, a processor four times slower, over nginx as in the how-to page.

    python bench/bench_portal_browser.py [SITE]

SITE is a published folder; by default the election of tests/full_election.py, in which everything has happened. Chromium itself
slows line and processor down (DevTools protocol; the 150 ms hold for each request). Every type of page is opened three times with
an empty cache and the medians count: first and largest contentful paint, total blocking time, layout shift, bytes over the line,
once with compressed copies beside the pages (gzip_static, as the how-to page has it) and once without. To reach: first contentful
paint of the front page at most 1 s and 150 KB; every score at least 95.

The scores follow Lighthouse's public method without being Lighthouse. Performance: log-normal curves through Lighthouse's control
points for phones, weights 10 (FCP), 25 (LCP), 30 (TBT), 25 (CLS); its fifth figure, the speed index, is left out and the weights
count for more. Best practice: the share of checks that hold. Accessibility: axe's rules, those that hold with weight 3, those
that do not with 10, 7, 3 or 1 by their impact (critical to minor).
"""

import gzip
import math
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from axe_playwright_python.sync_playwright import Axe

from full_election import publish_all
from nginx_server import NGINX, free_port, make_certificate, nginx, page_block, placed

CHROMIUM: Final = "/usr/bin/chromium"
PHONE: Final = {"width": 412, "height": 823}
BYTES_PER_SECOND: Final = 1_600_000 / 8
CURVES: Final = {"fcp": (1_800, 3_000, 10), "lcp": (2_500, 4_000, 25), "tbt": (200, 600, 30), "cls": (0.1, 0.25, 25)}
"""Lighthouse's control points for phones (value at a score of 0.9, value at 0.5) and weights; milliseconds, but for the shift."""
IMPACT: Final = {"critical": 10, "serious": 7, "moderate": 3, "minor": 1}
PASSED: Final = 3
ROUNDS: Final = 3
FOLDERS: Final = ("units", "stations", "calls", "bulletins", "observers", "snapshots")
OBSERVE: Final = """
window.seen = {lcp: 0, cls: 0, tasks: []};
new PerformanceObserver(list => { for (const e of list.getEntries()) seen.lcp = e.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) seen.cls += e.value; })
  .observe({type: "layout-shift", buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries()) seen.tasks.push([e.startTime, e.duration]); })
  .observe({type: "longtask", buffered: true});
"""
READ: Final = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const fcp = paint ? paint.startTime : Infinity;
  const tbt = seen.tasks.filter(([at]) => at >= fcp).reduce((sum, [, long]) => sum + long - 50, 0);
  return {fcp, lcp: Math.max(seen.lcp, fcp), tbt, cls: seen.cls};
}"""
GOOD: Final = """() => ({
  "a doctype": document.doctype !== null && document.compatMode === "CSS1Compat",
  "UTF-8, said at the beginning": document.characterSet === "UTF-8" && document.head.firstElementChild.hasAttribute("charset"),
  "a policy of its own": document.querySelector('meta[http-equiv="Content-Security-Policy"]') !== null,
  "a language": document.documentElement.lang !== "" && document.documentElement.dir !== "",
  "a viewport": document.querySelector('meta[name="viewport"]') !== null,
  "pictures with their sizes": [...document.images].every(i => i.hasAttribute("width") && i.hasAttribute("height")),
  "no inline script": [...document.scripts].every(s => s.src !== "" || (s.type !== "" && !s.type.includes("javascript"))),
  "nothing wider than the screen": document.documentElement.scrollWidth <= window.innerWidth,
})"""


class Seen(NamedTuple):
    """What one page did on the phone."""

    figures: dict[str, float]
    bytes: float
    requests: int


def main(given: Path | None) -> None:
    if NGINX is None:
        sys.exit("nginx is needed: apt install nginx")
    with tempfile.TemporaryDirectory(prefix="browser-") as name:
        folder = Path(name)
        site = given or folder / "site"
        if given is None:
            publish_all(site)
        ports = [free_port(), free_port()]
        packed = folder / "packed"
        pages = chosen_pages(site)
        pack(site, packed)
        certificate = make_certificate(folder)
        http = "".join(block(port, certificate, root) for port, root in zip(ports, (packed, site), strict=True))
        files = {"site-files.conf": page_block("charset_types"), "site-safety.conf": page_block("^add_header X-Content")}
        with nginx(folder / "server", http, files, ports), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            print("page: performance, best practice, accessibility; first paint, KB compressed (as they are)")
            worst = 100.0
            for page in pages:
                worst = min(worst, *look_at(browser, page, f"http://127.0.0.1:{ports[0]}/", f"http://127.0.0.1:{ports[1]}/"))
            print(f"least score of all: {worst:.0f} (to reach: 95)")
            browser.close()


def block(port: int, certificate: Any, root: Path) -> str:
    """The how-to page's server block, without TLS."""
    given = placed(page_block("results.example.org"), port, certificate, {"/srv/site": str(root)})
    return re.sub(r"^ *ssl_certificate.*\n", "", given, flags=re.MULTILINE).replace(f":{port} ssl;", f":{port};")


def chosen_pages(site: Path) -> list[str]:
    """The pages that stand alone, and the largest of each folder; the front page first."""
    found = [path for path in sorted(site.glob("*.html")) if path.name != "index.html"]
    for folder in FOLDERS:
        found += sorted((site / folder).rglob("*.html"), key=lambda path: -path.stat().st_size)[:1]
    return ["index.html", *(path.relative_to(site).as_posix() for path in found)]


def pack(site: Path, packed: Path) -> None:
    """The site with compressed copies beside its pages."""
    for path in site.rglob("*"):
        if path.is_file():
            target = packed / path.relative_to(site)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(path)
            if path.suffix in (".html", ".css", ".js", ".svg"):
                target.with_name(f"{target.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9))


def look_at(browser: Browser, path: str, packed: str, plain: str) -> tuple[float, float, float]:
    """Open a page in every way; prints a line and returns its three scores."""
    seen = [on_the_phone(browser, f"{packed}{path}") for _ in range(ROUNDS)]
    figures = {name: median(one.figures[name] for one in seen) for name in CURVES}
    as_is = on_the_phone(browser, f"{plain}{path}")
    practice, faults = good_practice(browser, f"{packed}{path}", packed)
    access, rules = accessibility(browser, f"{packed}{path}")
    scores = performance(figures), practice, access
    print(
        f"{path:40} {scores[0]:4.0f} {scores[1]:4.0f} {scores[2]:4.0f}   "
        f"{figures['fcp']:5,.0f} ms, {seen[0].bytes / 1e3:5.1f} KB "
        f"({as_is.bytes / 1e3:5.1f} KB, {as_is.figures['fcp']:,.0f} ms), {seen[0].requests} requests{''.join(faults + rules)}"
    )
    return scores


def on_the_phone(browser: Browser, url: str) -> Seen:
    """A page on a slow line with an empty cache."""
    with opened(browser) as context:
        page = context.new_page()
        page.add_init_script(OBSERVE)
        tools = context.new_cdp_session(page)
        tools.send("Network.enable")
        tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        line = {"offline": False, "latency": 150, "downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": 750_000 / 8}
        tools.send("Network.emulateNetworkConditions", line)
        tools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        received: list[float] = []
        tools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        page.goto(url, wait_until="load")
        page.wait_for_timeout(1_500)
        return Seen(page.evaluate(READ), sum(received), len(received))


def opened(browser: Browser, **options: Any) -> BrowserContext:
    """A browser that has been nowhere yet."""
    return browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True, **options)


def performance(figures: dict[str, float]) -> float:
    """0 to 100, by Lighthouse's curves and weights."""
    weights = sum(weight for _, _, weight in CURVES.values())
    return 100 * sum(weight * curve(figures[name], *points) for name, (*points, weight) in CURVES.items()) / weights


def curve(value: float, good: float, middling: float) -> float:
    """Lighthouse's score of a value: the upper tail of a log-normal distribution through 0.9 and 0.5."""
    if value <= 0:
        return 1.0
    return (1 - math.erf(0.9061938024368232 * math.log(value / middling) / -math.log(good / middling))) / 2


def good_practice(browser: Browser, url: str, root: str) -> tuple[float, list[str]]:
    """The share of checks that hold, and the others' names."""
    with opened(browser) as context:
        page = context.new_page()
        trouble: list[str] = []
        asked: list[str] = []
        watch(page, trouble.append, asked.append)
        page.goto(url, wait_until="load")
        page.wait_for_timeout(500)
        checks: dict[str, bool] = page.evaluate(GOOD)
        checks["no error on the console"] = not trouble
        checks["nothing from another host"] = all(one.startswith((root, "data:")) for one in asked)
    return 100 * sum(checks.values()) / len(checks), [f"; not: {name}" for name, holds in checks.items() if not holds]


def watch(page: Page, trouble: Callable[[str], object], asked: Callable[[str], object]) -> None:
    """Note what a page says and asks for."""
    page.on("console", lambda message: trouble(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: trouble(str(error)))
    page.on("requestfailed", lambda request: trouble(request.url))
    page.on("response", lambda response: trouble(response.url) if response.status >= 400 else None)
    page.on("request", lambda request: asked(request.url))


def accessibility(browser: Browser, url: str) -> tuple[float, list[str]]:
    """The rules of axe by weight, and the ids of those that do not hold."""
    with opened(browser, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(url, wait_until="load")
        found = Axe().run(page).response
    broken = sum(IMPACT[rule["impact"]] for rule in found["violations"])
    return 100 * (1 - broken / (broken + PASSED * len(found["passes"]))), [f"; axe: {rule['id']}" for rule in found["violations"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None)
