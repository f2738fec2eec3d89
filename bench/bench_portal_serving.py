"""Serving the site: nginx with the how-to page's lines and each kind of page, against the same nginx and a bare file of its size.

    python bench/bench_portal_serving.py [STATIONS [SECONDS [ROUNDS]]]

For the front page, the largest page of a unit, the largest page of a station and the style sheet: wrk asks for the file and for
random bytes of the same length in a server block that has a root and nothing else, in turn; both over plain connections that are
kept alive, served by the same process. Prints requests per second, their ratio (to reach: 0.9), the ratio of requests per CPU
second of nginx, and the ratio of the bare file to itself, which is what the machine adds. bench_reads.py looks closer at one.
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from bench_reads import Run, measured, published

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from nginx_server import NGINX, free_port, make_certificate, nginx, page_block, placed

KINDS: Final = {"front page": "index.html", "unit": "units/*.html", "station": "stations/*/*.html", "style": "assets/style.*.css"}


def main(stations: int, seconds: int, rounds: int) -> None:
    wrk = shutil.which("wrk")
    if NGINX is None or wrk is None:
        sys.exit("nginx and wrk are needed: apt install nginx wrk")
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        folder = Path(name)
        site, _ = published(folder, stations)
        bare = folder / "bare"
        bare.mkdir()
        chosen = {kind: max(site.glob(mask), key=lambda path: path.stat().st_size) for kind, mask in KINDS.items()}
        for kind, path in chosen.items():
            (bare / f"{kind.split()[0]}.html").write_bytes(os.urandom(path.stat().st_size))
        ports = [free_port(), free_port()]
        block = placed(page_block("results.example.org"), ports[0], make_certificate(folder), {"/srv/site": str(site)})
        plain = re.sub(r"^ *ssl_certificate.*\n", "", block, flags=re.MULTILINE).replace(f":{ports[0]} ssl;", f":{ports[0]};")
        http = f"    keepalive_requests 1000000;\n{plain}server {{ listen 127.0.0.1:{ports[1]}; root {bare}; }}\n"
        files = {"site-files.conf": page_block("charset_types"), "site-safety.conf": page_block("^add_header X-Content")}
        with nginx(folder / "server", http, files, ports) as pid:
            for kind, path in chosen.items():
                other = f"http://127.0.0.1:{ports[1]}/{kind.split()[0]}.html"
                urls = {"ours": f"http://127.0.0.1:{ports[0]}/{path.relative_to(site)}", "bare": other, "again": other}
                runs: dict[str, list[Run]] = {which: [] for which in urls}
                for url in urls.values():
                    measured(wrk, url, 1, pid)
                for number in range(rounds):
                    for which in list(urls)[number % 3 :] + list(urls)[: number % 3]:
                        runs[which].append(measured(wrk, urls[which], seconds, pid))
                report(kind, path.stat().st_size, runs)


def report(kind: str, size: int, runs: dict[str, list[Run]]) -> None:
    """One line for a kind of page: the medians over the rounds."""
    rate = {which: median(run.per_second for run in some) for which, some in runs.items()}
    ratios = {
        which: (
            median(own.per_second / bare.per_second for own, bare in zip(runs[which], runs["bare"], strict=True)),
            median(bare.per_million / own.per_million for own, bare in zip(runs[which], runs["bare"], strict=True)),
        )
        for which in ("ours", "again")
    }
    print(
        f"{kind:10} {size:>7,} bytes: {rate['ours']:>8,.0f} requests/s against {rate['bare']:>8,.0f}; "
        f"ratio {ratios['ours'][0]:.3f} "
        f"(to reach: 0.9), per CPU second {ratios['ours'][1]:.3f}; the bare file to itself {ratios['again'][0]:.3f}"
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [2_000, 4, 5][len(given) :]))
