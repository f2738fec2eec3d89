"""Reading under attack: nginx with the how-to page's lines serving a published page, against nginx serving a bare file.

    python bench/bench_reads.py [STATIONS [SECONDS [ROUNDS]]]

The page is the published one whose size is nearest to 10 KB; the bare file has the same size and random bytes, and its server
block has a root and nothing else. Both are served by one nginx with one worker, over plain connections and over TLS, both kept
alive, asked by wrk; the two take turns, and the order of the turns changes with each round. Prints requests per second, CPU
seconds of nginx's processes per million requests (from /proc), the ratio of both (to reach: 0.95), and what 25 million reads come
to, extrapolated from the requests measured. The bare file is asked for a second time in each round: how far its ratio to itself
is from 1 is what the machine adds, and a ratio of the page that differs by less says nothing. Whether any process of Scrutineer
runs for this site is looked up in each round.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from nginx_server import NGINX, Certificate, free_port, make_certificate, nginx, page_block, placed
from scrutineer.cli.office import Office, stretches
from scrutineer.cli.statement_files import read_statements

READS: Final = 25_000_000
WANTED_SIZE: Final = 10_240  # bytes
CONNECTIONS: Final = 64
_REQUESTS: Final = re.compile(r"([0-9]+) requests in")
_RATE: Final = re.compile(r"Requests/sec: +([0-9.]+)")
_FAILED: Final = re.compile(r"Non-2xx or 3xx responses: ([0-9]+)|Socket errors: (.*)")


class Run(NamedTuple):
    """What one run of wrk asked, and what it cost."""

    requests: int
    per_second: float
    cpu: float  # CPU seconds of nginx

    @property
    def per_million(self) -> float:
        """CPU seconds of nginx for a million requests."""
        return self.cpu / self.requests * 1e6


def main(stations: int, seconds: int, rounds: int) -> None:
    wrk = shutil.which("wrk")
    if NGINX is None or wrk is None:
        sys.exit("nginx and wrk are needed: apt install nginx wrk")
    with tempfile.TemporaryDirectory(prefix="reads-") as folder:
        site, page = published(Path(folder), stations)
        bare = Path(folder) / "bare"
        bare.mkdir()
        (bare / "bare.html").write_bytes(os.urandom(page.stat().st_size))
        certificate = make_certificate(Path(folder))
        ports = [free_port() for _ in range(4)]
        http, files = settings(site, bare, ports, certificate)
        size, name = page.stat().st_size, page.relative_to(site)
        print(
            f"{name}, {size:,} bytes, of a site of {stations:,} stations; wrk with {CONNECTIONS} connections, {seconds} s a run"
        )
        seen = 0
        with nginx(Path(folder) / "server", http, files, ports) as pid:
            for words, scheme, (own, other) in (("plain", "http", ports[:2]), ("TLS, keep-alive", "https", ports[2:])):
                bare_url = f"{scheme}://127.0.0.1:{other}/bare.html"
                urls = {"page": f"{scheme}://127.0.0.1:{own}/{name}", "bare": bare_url, "again": bare_url}
                runs: dict[str, list[Run]] = {which: [] for which in urls}
                for url in urls.values():
                    measured(wrk, url, 1, pid)
                for number in range(rounds):
                    turns = list(urls)[number % 3 :] + list(urls)[: number % 3]
                    for which in turns:
                        runs[which].append(measured(wrk, urls[which], seconds, pid))
                        seen = max(seen, scrutineer_processes(Path(folder)))
                report(words, runs)
        print(f"\nprocesses of Scrutineer that had the site's folder while it was read: {seen}")


def published(folder: Path, stations: int) -> tuple[Path, Path]:
    """A simulated election's site, and its page of nearly the size wanted."""
    simulated, site = folder / "simulated", folder / "site"
    scrutineer("simulate", "--stations", stations, "--seed", 7, "--out", simulated)
    log = Office.load(simulated / "election").open_log()
    try:
        for some in stretches(read_statements(simulated / "statements.bundle"), 8_192):
            log.append(some)
    finally:
        log.close()
    scrutineer("publish", simulated / "election", "--to", site)
    return site, min(site.rglob("*.html"), key=lambda path: abs(path.stat().st_size - WANTED_SIZE))


def scrutineer(*arguments: object) -> None:
    """Run a command to its end."""
    subprocess.run([sys.executable, "-m", "scrutineer", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def settings(site: Path, bare: Path, ports: list[int], certificate: Certificate) -> tuple[str, dict[str, str]]:
    """The page's server block over TLS and the same without TLS, and a server of a bare folder for each."""
    block = placed(page_block("results.example.org"), ports[2], certificate, {"/srv/site": str(site)})
    plain = re.sub(r"^ *ssl_certificate.*\n", "", block, flags=re.MULTILINE).replace(f":{ports[2]} ssl;", f":{ports[0]};")
    keys = f"ssl_certificate {certificate.path}; ssl_certificate_key {certificate.key};"
    http = "    keepalive_requests 1000000;\n"
    http += f"{block}{plain}server {{ listen 127.0.0.1:{ports[1]}; root {bare}; }}\n"
    http += f"server {{ listen 127.0.0.1:{ports[3]} ssl; {keys} root {bare}; }}\n"
    return http, {"site-files.conf": page_block("charset_types"), "site-safety.conf": page_block("^add_header X-Content")}


def measured(wrk: str, url: str, seconds: int, pid: int) -> Run:
    """One run of wrk, with the CPU time that nginx took for it."""
    before = cpu_seconds(pid)
    done = subprocess.run(
        [wrk, "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", url], capture_output=True, text=True, check=True
    )
    spent = cpu_seconds(pid) - before
    requests, rate = _REQUESTS.search(done.stdout), _RATE.search(done.stdout)
    if requests is None or rate is None or _FAILED.search(done.stdout):
        sys.exit(f"wrk and {url}: {done.stdout}")
    return Run(int(requests[1]), float(rate[1]), spent)


def cpu_seconds(pid: int) -> float:
    """Time that a process and its children were on a processor so far, to the nanosecond."""
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return sum(int(Path(f"/proc/{member}/schedstat").read_text().split()[0]) for member in family) / 1e9


def report(words: str, runs: dict[str, list[Run]]) -> None:
    """The medians of both, their ratio round by round, and 25 million reads."""
    print(f"\n{words}")
    for which, label in (("page", "published page"), ("bare", "bare file")):
        cost = median(run.per_million for run in runs[which])
        total = sum(run.requests for run in runs[which])
        print(
            f"  {label:15} {median(run.per_second for run in runs[which]):>9,.0f} requests/s   {cost:6.2f} CPU-s a million   "
            f"25 million: {cost * READS / 1e6:,.0f} CPU-s (from {total:,} measured)"
        )
    for which, label in (("page", "page / bare file"), ("again", "bare file / itself")):
        pairs = list(zip(runs[which], runs["bare"], strict=True))
        cpu = sorted(bare.per_million / run.per_million for run, bare in pairs)
        rate = sorted(run.per_second / bare.per_second for run, bare in pairs)
        print(
            f"  {label:19} requests per CPU second: {median(cpu):.3f} (rounds {cpu[0]:.3f} to {cpu[-1]:.3f}); "
            f"per second: {median(rate):.3f} (rounds {rate[0]:.3f} to {rate[-1]:.3f})"
        )


def scrutineer_processes(folder: Path) -> int:
    """Processes other than this one that run Scrutineer with something in the folder on their command line."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue  # It has ended.
        if int(path.parent.name) != os.getpid() and b"scrutineer" in line and os.fsencode(folder) in line:
            found += 1
    return found


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [300, 6, 5][len(given) :]))
