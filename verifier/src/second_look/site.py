"""The order in which a site's folder is checked: log, statements, count, published figures, encrypted ballots."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from second_look import ballots, cbor, signatures, statements
from second_look.count import Count
from second_look.election import Election
from second_look.merkle import read_entries, root, roots_at, statement_hash, wrong_tiles
from second_look.notes import (
    COSIGNED_ML_DSA_44,
    LOG_ED25519,
    Checkpoint,
    NoteKey,
    note_key,
    read_checkpoint,
    read_manifest,
    signed_by,
)
from second_look.outcome import OutcomeAudits
from second_look.report import BROKEN, FormatError, Report
from second_look.shapes import load_json
from second_look.tables import check_bulletin, check_data, check_snapshot

Tell = Callable[[str], None]


def verify_site(site: Path, expected: str = "", part: tuple[int, int] = (1, 1), tell: Tell = lambda _: None) -> Report:
    """Check a published site's folder.

    `expected` is the hash of the definition in hexadecimal, known from elsewhere. Of the stations' encrypted ballots only part
    k of n is checked, so that n machines can share the work. `tell` hears what is looked at.
    """
    report = Report()
    try:
        election, tables = _open(site)
        keys = [note_key(key) for key in election.definition["log"]["keys"]]
        log_key = next(key for key in keys if key.type == LOG_ED25519)
        _check_keys(election, keys)
    except BROKEN as error:
        report.add("definition", "definition/", f"{error}: nothing else can be checked")
        return report
    report.checked.append(f"definition {election.hash.hex()}, its tables and its signature")
    if expected:
        report.require(
            election.hash.hex() == expected.lower(), "definition", "definition/", "it is not the election that was asked for"
        )
    tell("log")
    log, head = _check_log(site, election, keys, report)
    tell("files")
    _check_files(site, log_key, head, report)
    if head is None:
        return report
    tell("earlier heads")
    audited = OutcomeAudits(
        site, log, lambda shown, where: _check_head(shown, election, keys, report, where, witnessed=False), report, tell
    )
    roots, shots = _check_history(site, election, keys, log, audited.sizes(), report)
    tell("statements")
    count = follow(election, log, roots, shots, audited, report)
    audited.finish(count)
    tell("tables")
    check_data(site, count, head.size, head.root, report)
    report.checked.append(
        f"totals of {len(election.contests)} contests, per unit and per station, added up again from the sheets"
    )
    if "ballots.json" in tables:
        _check_ballots(site, count, tables["ballots.json"], part, tell, report)
    return report


def _open(site: Path) -> tuple[Election, dict[str, bytes]]:
    statement = statements.read((site / "definition/definition.cose").read_bytes())
    named = statement.payload.get("tables", {})
    tables = {name: (site / "definition" / name).read_bytes() for name in named}
    election = Election(statement, tables)
    if load_json((site / "site.json").read_bytes())["definition"] != election.hash.hex():
        raise FormatError("site.json names another definition")
    return election, tables


def _check_keys(election: Election, keys: list[NoteKey]) -> None:
    """The log has one key of each kind under its own name, and no public key stands in the definition twice."""
    witnesses = (election.definition["witnesses"] or {"witnesses": []})["witnesses"]
    others = [[note_key(key) for key in witness["keys"]] for witness in witnesses]
    if sorted(key.type for key in keys) != [LOG_ED25519, COSIGNED_ML_DSA_44]:
        raise FormatError("the log has not one Ed25519 key and one ML-DSA-44 key")
    if {key.name for key in keys} != {election.definition["log"]["origin"]} or any(
        len({k.name for k in own}) > 1 for own in others
    ):
        raise FormatError("keys of the log or of a witness bear other names")
    public = [key.public for key in keys] + [key.public for own in others for key in own]
    if len(set(public)) != len(public):
        raise FormatError("a public key stands in the definition twice")


def digest_of(path: Path) -> bytes:
    """SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _check_log(site: Path, election: Election, keys: list[NoteKey], report: Report) -> tuple[list[bytes], Checkpoint | None]:
    """Entries, tiles, root and signatures of the newest heads."""
    folder = site / "log"
    try:
        head = read_checkpoint((folder / "checkpoint").read_bytes())
        _check_head(head, election, keys, report, "log/checkpoint")
        published = head
        if (folder / "checkpoint.pending").is_file():
            published = read_checkpoint((folder / "checkpoint.pending").read_bytes())
            _check_head(published, election, keys, report, "log/checkpoint.pending", witnessed=False)
        newest = load_json((folder / "head.json").read_bytes())
        size = max(head.size, published.size, newest["size"])
        log = list(read_entries(folder, size))
        leaves = [statement_hash(entry) for entry in log]
        heads = roots_at(leaves, {head.size, published.size})
        for given, name in ((head, "checkpoint"), (published, "checkpoint.pending")):
            report.require(given.root == heads[given.size], "log", f"log/{name}", "the entries give another root")
        for name in wrong_tiles(folder, leaves):
            report.add("log", f"log/{name}", "the tile is missing or holds other hashes than the entries give")
        own = root(leaves)
        report.require(
            newest["size"] == size and newest["root"] == own.hex(), "log", "log/head.json", "not the head of these entries"
        )
        holds = head_signature_holds(keys, election, size, own, bytes.fromhex(newest["signature"]))
        report.require(holds, "log", "log/head.json", "the log's signature does not hold")
    except BROKEN as error:
        report.add("log", "log/", f"{error}")
        return [], None
    definition = (site / "definition/definition.cose").read_bytes()
    report.require(log[0] == definition, "log", "log/", "entry 0 is not the definition")
    report.checked.append(f"log of {size} entries: tiles, root {own.hex()}, signatures of its heads")
    return log, Checkpoint(head.origin, size, own, head.note)


def head_signature_holds(keys: list[NoteKey], election: Election, size: int, own_root: bytes, signature: bytes) -> bool:
    """The log's signature of a head as receipts carry it ("Receipt"): over its root, with origin and size in the header."""
    key = next(key for key in keys if key.type == LOG_ED25519)
    kid = signatures.thumbprint(signatures.ED25519, key.public)
    claims = {1: election.definition["log"]["origin"], 2: f"head/{size}"}
    protected = cbor.encode({1: -8, 4: kid, 15: claims, 395: 1})
    signed = cbor.encode(["Signature1", protected, b"", own_root])
    return signatures.holds(signatures.ED25519, key.public, signed, signature)


def _check_head(
    head: Checkpoint, election: Election, keys: list[NoteKey], report: Report, where: str, witnessed: bool = True
) -> None:
    """The log's own signatures, and the quorum of witnesses where the definition names them."""
    report.require(head.origin == election.definition["log"]["origin"], "log", where, "it is of another log")
    for key in keys:
        if key.type == COSIGNED_ML_DSA_44 and not signatures.knows_ml_dsa():
            report.taken.append(f"{where}: the ML-DSA-44 signature (this machine's library does not know it)")
        else:
            report.require(signed_by(key, head.note, head), "log", where, f"no signature by {key.name}+{key.id.hex()}")
    policy = election.definition["witnesses"]
    if policy is not None and witnessed:
        cosigned = 0
        for witness in policy["witnesses"]:
            own = [note_key(key) for key in witness["keys"]]
            signed = [signed_by(key, head.note, head) for key in own]  # every line is looked at
            cosigned += all(signed)
        report.require(
            cosigned >= policy["quorum"], "log", where, f"{cosigned} witnesses have cosigned, and {policy['quorum']} must"
        )


def _check_files(site: Path, key: NoteKey, head: Checkpoint | None, report: Report) -> None:
    """The signed list of files: each is there, as it was published, and there is no other."""
    try:
        size, files = read_manifest((site / "manifest").read_bytes(), key)
    except BROKEN as error:
        report.add("files", "manifest", str(error))
        return
    if head is not None:
        report.require(size == head.size, "files", "manifest", "it is of another log size than the log")
    for path, digest in files.items():
        file = site / path
        if not file.is_file() or file.is_symlink():
            report.add("files", path, "the file is missing, or a link")
        elif digest_of(file) != digest:
            report.add("files", path, "the file was changed after it was published")
    for file in site.rglob("*"):
        path = file.relative_to(site).as_posix()
        if file.is_file() and path not in files and path != "manifest" and not path.startswith("."):
            report.add("files", path, "the file is not on the signed list")
    report.checked.append(f"{len(files)} files against the signed list")


def _check_history(
    site: Path, election: Election, keys: list[NoteKey], log: list[bytes], others: set[int], report: Report
) -> tuple[dict[int, bytes], dict[int, list[dict[str, Any]]]]:
    """Every published head is a beginning of this log ("History of a site"). Returns roots and published contests by size.

    `others` are sizes of which the roots are wanted as well.
    """
    shots: list[dict[str, Any]] = []
    try:
        index = load_json((site / "snapshots/index.json").read_bytes())
        if index["election"] != election.hash.hex() or index["contests"] != list(election.contests):
            raise FormatError("the list of snapshots is of another election")
        previous = None
        for listed in index["snapshots"]:
            shot = load_json((site / f"snapshots/{int(listed['size'])}.json").read_bytes())
            where = f"snapshots/{listed['size']}.json"
            head = read_checkpoint(shot["checkpoint"].encode())
            _check_head(head, election, keys, report, where)
            same = shot["previous"] == previous and shot["election"] == election.hash.hex() and shot["size"] == listed["size"]
            same &= shot["root"] == listed["root"] and shot["time_ms"] == listed["time_ms"]
            same &= [contest["counted"] for contest in shot["contests"]] == listed["counted"]
            report.require(same, "history", where, "it does not continue the one before it, or the list says otherwise")
            holds = head_signature_holds(
                keys, election, shot["size"], bytes.fromhex(shot["root"]), bytes.fromhex(shot["signature"])
            )
            report.require(holds, "history", where, "the log's signature does not hold")
            shots.append(shot | {"head": head, "contests": list(shot["contests"])})
            previous = shot["size"]
    except BROKEN as error:
        report.add("history", "snapshots/", f"{error}")
    sizes = {shot["size"] for shot in shots} | {shot["head"].size for shot in shots} | _sizes_stated(log) | others
    roots = roots_at([statement_hash(entry) for entry in log], sizes)
    for shot in shots:
        head = shot["head"]
        holds = shot["root"] == roots.get(shot["size"], b"").hex() and head.root == roots.get(head.size)
        report.require(holds, "history", f"snapshots/{shot['size']}.json", "this log never had that head")
    report.checked.append(f"{len(shots)} earlier heads are beginnings of this log")
    return roots, {shot["size"]: shot["contests"] for shot in shots}


def _stated(entry: bytes) -> statements.Statement | None:
    """A bulletin or certificate; None for other entries."""
    if b".bulletin+cbor" in entry[:160] or b".certificate+cbor" in entry[:160]:
        try:
            return statements.read(entry)
        except FormatError:
            pass
    return None


def _sizes_stated(log: list[bytes]) -> set[int]:
    return {statement.payload["size"] for entry in log if (statement := _stated(entry)) is not None}


def follow(
    election: Election,
    log: list[bytes],
    roots: dict[int, bytes],
    shots: dict[int, list[dict[str, Any]]],
    audited: OutcomeAudits,
    report: Report,
) -> Count:
    """Every statement: form, signer, signature; and the count, with the bulletins at the sizes that they name."""
    count = Count(election)
    pending = {index: statement for index, entry in enumerate(log) if (statement := _stated(entry)) is not None}
    for index, statement in list(pending.items()):
        if statement.payload["size"] > index:
            report.add("bulletin", f"entry {index}", "it states totals of entries that were not there yet")
            del pending[index]
    for index, entry in enumerate(log):
        if index:
            try:
                statement = statements.read(entry)
                count.policy.check(statement)
                count.apply(index, statement)
            except FormatError as error:
                report.add("statement", f"entry {index}", f"{error}: it does not count")
        for at, bulletin in list(pending.items()):
            if bulletin.payload["size"] == index + 1:
                check_bulletin(bulletin.payload, count, roots[index + 1], f"entry {at}, {bulletin.subject}", report)
                del pending[at]
        if index + 1 in roots:
            audited.at(index + 1, roots[index + 1], count)
        if index + 1 in shots:
            check_snapshot(shots[index + 1], count, f"snapshots/{index + 1}.json", report)
    sheets = sum(len(place.sheets) for places in count.places.values() for place in places.values())
    report.checked.append(f"{len(log)} statements: form, signer, scope and signature; {sheets} tally sheets by every rule")
    return count


def _check_ballots(site: Path, count: Count, table: bytes, part: tuple[int, int], tell: Tell, report: Report) -> None:
    """Every station's encrypted ballots, and that their totals are what its sheets state."""
    keys = ballots.open_site_keys(table, count, report)
    if keys is None:
        return
    paths = sorted((site / "ballots").glob("*.jsonl"))
    own = [path for number, path in enumerate(paths) if number % part[1] == part[0] - 1]
    for number, path in enumerate(own, start=1):
        tell(f"encrypted ballots {number}/{len(own)}: {path.name}")
        tally = path.with_name(path.name.removesuffix(".jsonl") + ".tally.json")
        try:
            ballots.check_station(keys, path, tally if tally.is_file() else None, count, report)
        except OSError as error:
            report.add("R.2", f"ballots/{path.name}", f"{error}")
    report.checked.append(f"encrypted ballots of {len(own)} stations: ElectionGuard 2.1.0, verifications 1 to 19")
    if len(own) < len(paths):
        report.taken.append(f"encrypted ballots of {len(paths) - len(own)} stations, which are other parts")
    shown = {place.shown.records for places in count.places.values() for place in places.values() if place.shown is not None}
    missing = len(shown - {None} - {digest_of(path) for path in paths})
    if missing:
        report.taken.append(f"the totals of {missing} records that sheets name and that are not published here")
