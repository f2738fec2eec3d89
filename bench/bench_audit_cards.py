"""How fast records of cards are read, and in how much memory, beside a floor.

    python bench/bench_audit_cards.py [--part PART ...] [--share S] [--runs N]

Every file is made here with a fixed seed in a temporary folder, and every reading runs in a process of its own with one thread,
so that its memory is its own; CPU seconds are compared, since they do not depend on what else the machine does. `--share` makes
all files smaller. Floors read the same bytes: plain reading, the csv module for tables, the json module for JSON (of a part,
scaled).

| part | file | goal |
|---|---|---|
| raire | 1,026,634 rankings of one contest | 0.6 s |
| json | Dominion, 200,000 cards of 10 contests | 85,000 cards a second |
| csv | Dominion, 10,000,000 cards of 10 contests | 180 s and 1.5 GB together with `compact` |
| compact | the same as our own file of cards: written, digested and read again | |
| manifest | 300,000 boxes | |
"""

import argparse
import csv
import io
import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from scrutineer.audits.cards.compact import write_cards
from scrutineer.audits.cards.reading import read_cards
from scrutineer.audits.manifest import Manifest, read_manifest

SEED = 20_260_607
RANKINGS = 1_026_634
JSON_CARDS = 200_000
CSV_CARDS = 10_000_000
BOXES = 300_000
CONTESTS = 10


def make_raire(path: Path, rows: int) -> None:
    """Rankings of four birds; ids name tabulator, batch and place."""
    draw = random.Random(SEED)
    birds = ("15", "16", "17", "18")
    rankings = [",".join(draw.sample(birds, draw.randrange(5))) for _ in range(4_000)]
    with path.open("w") as file:
        file.write(f"1\nContest,339,4,{','.join(birds)}\n")
        for row in range(rows):
            ranking = rankings[row * 7919 % len(rankings)]
            file.write(f"339,{99_800 + row // 20_000}_{row // 200 % 100}_{row % 200},{ranking}\n")


def make_json(path: Path, cards: int) -> None:
    """An export of version 5.10: a mark in most contests, and in a quarter of them an ambiguous one that does not count."""
    draw = random.Random(SEED)

    def mark(contest: int, option: int, style: int, density: int, counts: bool) -> str:
        number = 10 * contest + option
        ambiguous, vote = ("false", "true") if counts else ("true", "false")
        return (
            f'{{"CandidateId":{number},"ManifestationId":{style * 1000 + number},"PartyId":{option},"Rank":1,'
            f'"MarkDensity":{density},"IsAmbiguous":{ambiguous},"IsVote":{vote},"OutstackConditionIds":[]}}'
        )

    with path.open("w") as file:
        file.write('{"Version":"5.10.50.85","ElectionId":"Aves","Sessions":[')
        for card in range(cards):
            tabulator, batch, record, style = 1 + card // 20_000, 1 + card // 200, 1 + card % 200, draw.randrange(40)
            contests = []
            for contest in range(CONTESTS):
                option = draw.randrange(6)
                marks = [mark(contest, option, style, draw.randrange(20, 100), True)] if option < 5 else []
                if draw.random() < 0.25:
                    marks.append(mark(contest, 7, style, draw.randrange(5, 20), False))
                contests.append(
                    f'{{"Id":{contest + 1},"ManifestationId":{style * 100 + contest},"Undervotes":{int(option == 5)},'
                    f'"Overvotes":0,"OutstackConditionIds":[],"Marks":[{",".join(marks)}]}}'
                )
            image = f"{tabulator:05}_{batch:05}_{record:06}*.*"
            folder = f"D:\\\\Aves\\\\Results\\\\Tabulator{tabulator:05}\\\\Batch{batch:03}\\\\Images"
            file.write(
                f'{"," if card else ""}{{"TabulatorId":{tabulator},"BatchId":{batch},"RecordId":{record},"CountingGroupId":2,'
                f'"ImageMask":"{folder}\\\\{image}","SessionType":"ScannedVote","VotingSessionIdentifier":"",'
                f'"UniqueVotingIdentifier":"","Original":{{"PrecinctPortionId":{style},"BallotTypeId":{style},"IsCurrent":true,'
                f'"Cards":[{{"Id":{card},"KeyInId":{card},"PaperIndex":0,"Contests":[{",".join(contests)}],'
                '"OutstackConditionIds":[]}]}}'
            )
        file.write("]}")


def make_csv(path: Path, cards: int) -> None:
    """An export of contests with four options, a few of which a card does not hold."""
    draw = random.Random(SEED)
    cells = [",".join("1" if place == option else "0" for place in range(4)) for option in range(5)] + [",,,"]
    rows = [",".join(cells[draw.randrange(6)] for _ in range(CONTESTS)) for _ in range(20_000)]
    with path.open("w") as file:
        file.write("Aves,5.10\n" + "," * 7 + ",".join(f'"Contest {place // 4} (Vote For=1)"' for place in range(4 * CONTESTS)))
        file.write("\n" + "," * 7 + ",".join(f"Bird {place % 4}" for place in range(4 * CONTESTS)) + "\n")
        file.write("CvrNumber,TabulatorNum,BatchId,RecordId,ImprintedId,PrecinctPortion,BallotType" + "," * 4 * CONTESTS + "\n")
        for card in range(cards):
            tabulator, batch, record = 1 + card // 20_000, 1 + card // 200, 1 + card % 200
            own = rows[card * 7919 % len(rows)]
            file.write(f"{card},{tabulator},{batch},{record},{tabulator}-{batch}-{record},P{card % 50},T{card % 7},{own}\n")


def read(path: Path) -> dict[str, Any]:
    """Reads cards; how many there are, and what their columns and ids take."""
    cards = read_cards(path)
    return {"cards": len(cards), "columns": cards.memory(), "ids": cards.ids.nbytes, "contests": len(cards.contests)}


def write(path: Path, out: Path) -> dict[str, Any]:
    """Reads cards and writes them in canonical form."""
    cards = read_cards(path)
    start = time.process_time()
    with out.open("wb") as file:
        digest = write_cards(cards, file.write)
    return {"cards": len(cards), "write": time.process_time() - start, "digest": digest.hex()[:16]}


def plain(path: Path) -> dict[str, Any]:
    """The bytes alone."""
    with path.open("rb") as file:
        while file.read(1 << 22):
            pass
    return {}


def with_csv(path: Path, most: int) -> dict[str, Any]:
    """The csv module over the first rows, nothing kept."""
    with path.open(newline="") as file:
        return {"rows": sum(1 for _, _ in zip(csv.reader(file), range(most), strict=False))}


def with_json(path: Path, most: int) -> dict[str, Any]:
    """The json module over the first sessions, nothing made of them."""
    with path.open() as file:
        text = file.read(most)
    return {"rows": len(json.loads(text[: text.rindex(',{"TabulatorId"')] + "]}")["Sessions"])}


def _measured(pipe: Any, work: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> None:
    pa.set_cpu_count(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    found = work(*arguments)
    found |= {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "before": before << 10}
    pipe.send(found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10})


def measured(work: Callable[..., dict[str, Any]], *arguments: Any, runs: int = 1) -> dict[str, Any]:
    """What a piece of work answers, with its seconds and its greatest memory, in a process of its own; the best run."""
    best: dict[str, Any] = {}
    for _ in range(runs):
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_measured, args=(there, work, arguments))
        process.start()
        there.close()
        found = here.recv()
        process.join()
        if not best or found["cpu"] < best["cpu"]:
            best = found
    return best


def show(name: str, found: dict[str, Any], size: int, goal: str, floors: dict[str, float]) -> None:
    """One part's figures."""
    count, cpu = found["cards"], found["cpu"]
    print(f"{name}: {count:,} cards, {size / 1e6:,.0f} MB")
    print(f"  {cpu:.2f} s CPU ({found['wall']:.2f} s wall) = {count / cpu:,.0f} cards/s; goal {goal}")
    if "columns" in found:
        print(f"  {found['columns'] / count:.1f} B/card in {found['contests']} contest(s) + {found['ids'] / count:.1f} B of id")
    print(f"  peak memory {found['peak'] / 1e6:,.0f} MB, of which {found['before'] / 1e6:,.0f} MB are the program")
    for floor, seconds in floors.items():
        print(f"  {floor}: {seconds:.2f} s; reading takes {cpu / seconds:.2f} times as long")


def main() -> None:
    parts = ("raire", "json", "csv", "compact", "manifest")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=parts, nargs="+", default=parts)
    parser.add_argument("--share", type=float, default=1.0, help="of the number of cards")
    parser.add_argument("--runs", type=int, default=3, help="of the short parts; the best counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "raire" in given.part:
            path = folder / "cards.raire"
            make_raire(path, int(RANKINGS * given.share))
            floors = {
                "plain reading": measured(plain, path, runs=given.runs)["cpu"],
                "csv module": measured(with_csv, path, 1 << 40, runs=given.runs)["cpu"],
            }
            show("RAIRE", measured(read, path, runs=given.runs), path.stat().st_size, "0.6 s", floors)
        if "json" in given.part:
            path = folder / "CvrExport.json"
            make_json(path, int(JSON_CARDS * given.share))
            found = measured(read, path, runs=given.runs)
            part = measured(with_json, path, 1 << 26, runs=given.runs)
            floors = {
                "plain reading": measured(plain, path, runs=given.runs)["cpu"],
                "json module (scaled)": part["cpu"] / part["rows"] * found["cards"],
            }
            show("Dominion JSON", found, path.stat().st_size, "85,000 cards/s", floors)
            path.unlink()
        if {"csv", "compact"} & set(given.part):
            path, out = folder / "cards.csv", folder / "cards.compact"
            make_csv(path, int(CSV_CARDS * given.share))
            if "csv" in given.part:
                found = measured(read, path)
                part = measured(with_csv, path, 200_000)
                floors = {
                    "plain reading": measured(plain, path)["cpu"],
                    "csv module (scaled)": part["cpu"] / part["rows"] * found["cards"],
                }
                show("Dominion CSV", found, path.stat().st_size, "180 s and 1,500 MB", floors)
            if "compact" in given.part:
                written = measured(write, path, out)
                peak = f"{written['peak'] / 1e6:,.0f} MB"
                print(f"canonical form: {written['write']:.2f} s CPU, digest {written['digest']}…, peak with reading {peak}")
                floors = {"plain reading": measured(plain, out)["cpu"]}
                show("our own file", measured(read, out), out.stat().st_size, "180 s and 1,500 MB", floors)
        if "manifest" in given.part:
            manifest = Manifest.of((f"station {number:06}", 300 + number % 400) for number in range(int(BOXES * given.share)))
            data = manifest.encode()
            start = time.process_time()
            read_manifest(data)
            taken = time.process_time() - start
            start = time.process_time()
            sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline="")))
            floor = time.process_time() - start
            print(f"manifest: {len(manifest.boxes):,} boxes read and checked in {taken:.2f} s CPU; csv module {floor:.2f} s")


if __name__ == "__main__":
    main()
