"""Check this yourself, in a real browser: a genuine page passes, and each tamper is named by the step that it belongs to."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from chromium import untroubled
from portal_helpers import ORIGIN, TIME_MS, Published, key_of, log_signer, made_up, republic
from scrutineer.election import Contest, Election, Option, UnitRow
from scrutineer.election.witness_policy import NamedWitness, WitnessPolicy
from scrutineer.log import Checkpoint, sign_checkpoint
from scrutineer.log.cosignature import Ed25519Cosigner, MlDsa44Signer
from scrutineer.log.merkle import leaf_hash
from scrutineer.log.note import NoteSigner
from scrutineer.log.receipt import encode_receipt
from scrutineer.portal import SiteOptions
from scrutineer.statements import Payload, SigningKey, TallySheet, parse_statement, sign_statement
from scrutineer.statements.envelope import open_envelope
from site_servers import answering, send

STEPS = {
    "statement",
    "signature",
    "about",
    "figures",
    "receipt",
    "definition",
    "names",
    "register",
    "checkpoint",
    "witnesses",
    "included",
}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css"}
INDEX = 300
"""The log entry whose station's page is looked at: its way up leads through a full tile, a partial one and two levels."""

Files = dict[str, bytes]
Change = Callable[["Land", Files], None]


class Land:
    """A published election whose files can be served with some of them changed."""

    def __init__(self, election: Published, index: int) -> None:
        self.election = election
        self.record = election.record
        self.index = index
        self.statement = election.log[index]
        self.sheet = parse_statement(self.statement).payload
        assert isinstance(self.sheet, TallySheet)
        self.files = election.files()
        self.page = next(path for path in self.files if path.endswith(f"/{self.sheet.station}.html") and path[:9] == "stations/")
        self.served: Files = self.files

    def answer(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        data = self.served.get(path)
        content = TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        send(handler, b"", 404) if data is None else send(handler, data, content_type=content, cache_control="no-store")


@pytest.fixture(scope="module")
def land() -> Land:
    return Land(republic(600, seed=3).with_options(SiteOptions(languages=("en", "ar"))), INDEX)


@pytest.fixture(scope="module")
def address(land: Land) -> Iterator[str]:
    with answering(land.answer) as root:
        yield root


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with untroubled(browser, statuses=(404,)) as page:
        yield page


def run(page: Page, url: str) -> dict[str, str]:
    """Press the button; the state of each step."""
    page.goto(url)
    page.get_by_role("button", name="Check in this browser").click()
    page.locator(".check-result[data-state]").wait_for()
    steps = page.locator(".check-result li[data-step]")
    return {step.get_attribute("data-step") or "": step.get_attribute("class") or "" for step in steps.all()}


def test_a_genuine_page_passes(page: Page, land: Land, address: str) -> None:
    land.served = land.files
    assert run(page, f"{address}/{land.page}") == dict.fromkeys(STEPS, "good")
    text = page.locator("#check").inner_text()
    assert "Everything that this page can check about itself is right." in text
    for digest in (leaf_hash(land.statement), land.record.election.hash, land.record.head.root):
        assert digest.hex() in text
    assert "scrutineer verify" in text


def test_it_fetches_few_files_and_little(page: Page, land: Land, address: str) -> None:
    land.served = land.files
    asked: list[str] = []
    page.goto(f"{address}/{land.page}")
    page.on("request", lambda request: asked.append(request.url.removeprefix(f"{address}/")))
    page.get_by_role("button", name="Check in this browser").click()
    page.locator(".check-result[data-state]").wait_for()
    tiles = [path for path in asked if path.startswith("log/tile/")]
    # The browser may ask for the page's icon at any time.
    others = {path for path in asked if not path.startswith("assets/")}
    assert sorted(others - set(tiles)) == ["definition/definition.cose", "definition/register.csv", "log/checkpoint"]
    assert len(tiles) == len(set(tiles)) <= 3
    assert not any("entries" in path for path in tiles)


def test_the_page_of_another_language_checks_itself_too(page: Page, land: Land, address: str) -> None:
    land.served = land.files
    page.goto(f"{address}/ar/{land.page}")
    page.locator("#check button").first.click()
    page.locator(".check-result[data-state]").wait_for()
    assert page.locator(".check-result").get_attribute("data-state") == "good"


def test_a_keyboard_stays_at_the_button(page: Page, land: Land, address: str) -> None:
    land.served = land.files
    page.goto(f"{address}/{land.page}")
    button = page.get_by_role("button", name="Check in this browser")
    button.focus()
    page.keyboard.press("Enter")
    page.locator(".check-result[data-state]").wait_for()
    expect(button).to_be_focused()


def test_from_a_folder_it_checks_what_it_can_and_says_so(page: Page, land: Land, tmp_path: Path) -> None:
    for path, data in land.files.items():
        if path.startswith(("assets/", "check-words.js")) or path == land.page:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
    states = run(page, (tmp_path / land.page).as_uri())
    offline = {"statement", "signature", "about", "figures", "receipt"}
    assert {step for step, state in states.items() if state == "good"} == offline
    assert {step for step, state in states.items() if state == "open"} == STEPS - offline
    assert "opened from a folder" in page.locator(".check-result").inner_text()


# --- tampers ----------------------------------------------------------------------------------------------------------


def on_page(old: str | re.Pattern[str], new: Callable[[Land, str], str] | str, count: int = 1) -> Change:
    """Change the page's text."""

    def change(land: Land, files: Files) -> None:
        pattern = re.compile(re.escape(old)) if isinstance(old, str) else old
        text = files[land.page].decode()
        done, times = pattern.subn(lambda match: new if isinstance(new, str) else new(land, match[0]), text, count=count)
        assert times >= 1
        assert done != text
        files[land.page] = done.encode()

    return change


CELL = re.compile(r'<td data-sheet="\d+" data-figure="votes:[^"]*" data-value="\d+">[^<]*</td>')
STATEMENT = re.compile(r'(?<=data-statement=")[^"]*')
RECEIPT = re.compile(r'(?<=data-receipt=")[^"]*')


def one_more(land: Land, cell: str) -> str:
    votes = int(re.search(r'data-value="(\d+)"', cell)[1]) + 1  # type: ignore[index]
    return re.sub(r">\d[^<]*</td>", f">{votes}</td>", cell.replace(f'value="{votes - 1}"', f'value="{votes}"'))


def flipped(at: int) -> Callable[[Land, str], str]:
    def change(land: Land, text: str) -> str:
        data = bytearray(b64decode(text))
        data[at] ^= 1
        return b64encode(data).decode()

    return change


def one_vote_more(land: Land) -> TallySheet:
    counts = land.sheet.counts
    return land.sheet._replace(counts=(counts[0] + 1, *counts[1:]), cast=land.sheet.cast and land.sheet.cast + 1)


def signed(land: Land, sheet: TallySheet) -> bytes:
    issuer = f"station/{land.sheet.station}"
    return sign_statement(sheet, issuer, key_of(issuer))


def forged(land: Land, files: Files) -> None:
    """A sheet with other figures, signed by a key of the forger's, on a page that fits it in everything."""
    key = SigningKey(bytes([99]) * 32)
    sheet = one_vote_more(land)
    statement = sign_statement(sheet, f"station/{sheet.station}", key)
    text = files[land.page].decode()
    text = text.replace(b64encode(land.statement).decode(), b64encode(statement).decode())
    text = text.replace(leaf_hash(land.statement).hex(), leaf_hash(statement).hex())
    text = re.sub(r'data-key="[0-9a-f]*"', f'data-key="{key.public_key.hex()}"', text)
    text = CELL.sub(lambda cell: one_more(land, cell[0]), text, count=1)
    if sheet.cast is not None:
        text = re.sub(
            r'(data-figure="cast" data-value=)"\d+">[^<]*<', lambda cell: f'{cell[1]}"{sheet.cast}">{sheet.cast}<', text
        )
    files[land.page] = text.encode()


def other_receipt(land: Land, receipt: str) -> str:
    """One that claims the right place in the log, and leads there from the neighbour's sheet."""
    head = land.record.head
    path = land.record.tree.inclusion(land.index + 1, head.size)
    return b64encode(encode_receipt(land.record.verifier, head.signature, head.size, land.index, path)).decode()


def in_file(path: str, change: Callable[[Land, bytes], bytes]) -> Change:
    def do(land: Land, files: Files) -> None:
        names = [name for name in files if re.fullmatch(path, name)]
        assert names
        for name in names:
            changed = change(land, files[name])
            assert changed != files[name]
            files[name] = changed

    return do


def without(path: str) -> Change:
    def do(land: Land, files: Files) -> None:
        for name in [name for name in files if re.fullmatch(path, name)]:
            del files[name]

    return do


def inverted(at: int) -> Callable[[Land, bytes], bytes]:
    return lambda land, data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def signed_head(size: int | None = None, seed: int = 1, root: bytes | None = None) -> Callable[[Land, bytes], bytes]:
    def make(land: Land, data: bytes) -> bytes:
        entries = size or land.record.head.size
        head = Checkpoint(ORIGIN, entries, root or land.record.tree.root(entries))
        return sign_checkpoint(head, log_signer(seed).note_signers, TIME_MS // 1000)

    return make


def other_key(land: Land, table: bytes) -> bytes:
    own = key_of(f"station/{land.sheet.station}").public_key.hex().encode()
    return table.replace(own, SigningKey(bytes([99]) * 32).public_key.hex().encode())


def other_definition(land: Land, data: bytes) -> bytes:
    definition = msgspec.structs.replace(land.record.election.definition, name="Another election of the birds")
    envelope = open_envelope(data)
    return sign_statement(definition, envelope.issuer, key_of(envelope.issuer))


def padded(land: Land, text: str) -> str:
    """The same statement with a number that is one byte longer than it must be."""
    data = b64decode(text)
    return b64encode(data[:2] + b"\x59\x00" + data[3:]).decode() if data[2] == 0x58 else b64encode(data + b"\0").decode()


TAMPERS: dict[str, tuple[Change, set[str]]] = {
    "a figure of the table": (on_page(CELL, one_more), {"figures"}),
    "a figure as it is seen": (on_page(CELL, lambda _, cell: re.sub(r">\d", ">9", cell)), {"figures"}),
    "a figure as it is marked": (on_page(CELL, lambda _, cell: cell.replace('value="', 'value="1')), {"figures"}),
    "a figure that nobody stated": (on_page(CELL, lambda _, cell: re.sub(r">[^<]*<", ">not stated<", cell)), {"figures"}),
    "a row left out": (on_page(CELL, "<td></td>"), {"figures"}),
    "two figures that changed places": (
        lambda land, files: on_page(
            re.compile(rf"({CELL.pattern})(.*?)({CELL.pattern})", re.DOTALL),
            lambda _, text: (lambda cells: text.replace(cells[0], "~").replace(cells[1], cells[0]).replace("~", cells[1]))(
                CELL.findall(text)
            ),
        )(land, files),
        {"figures"},
    ),
    "two names that changed places": (
        lambda land, files: on_page(
            re.compile(r"(?s)<tbody>.*</tbody>"),
            lambda land, text: (lambda names: text.replace(names[0], "~").replace(names[1], names[0]).replace("~", names[1]))(
                [option.name for option in land.record.election.contests[0].options]
            ),
        )(land, files),
        {"names"},
    ),
    "the signature of the sheet": (on_page(STATEMENT, flipped(-1)), {"statement", "signature", "receipt", "included"}),
    "a count in the signed sheet": (
        on_page(
            STATEMENT,
            lambda land, text: b64encode(
                sign_statement(one_vote_more(land), f"station/{land.sheet.station}", key_of(f"station/{land.sheet.station}"))[
                    :-64
                ]
                + land.statement[-64:]
            ).decode(),
        ),
        {"statement", "signature", "figures", "receipt", "included"},
    ),
    "a sheet that is not canonical": (on_page(STATEMENT, padded), {"statement"}),
    "a sheet with bytes behind it": (
        on_page(STATEMENT, lambda _, text: b64encode(b64decode(text) + b"\0").decode()),
        {"statement"},
    ),
    "base64 with a space": (on_page(STATEMENT, lambda _, text: f" {text}"), {"statement"}),
    "a forged sheet on a page that fits it": (forged, {"receipt", "register", "included"}),
    "the key of the station": (
        on_page(re.compile(r'data-key="[0-9a-f]*"'), f'data-key="{SigningKey(bytes([99]) * 32).public_key.hex()}"'),
        {"signature"},
    ),
    "the sheet of another station": (on_page(re.compile(r'data-station="[^"]*"'), 'data-station="elsewhere"'), {"about"}),
    "another contest": (on_page(re.compile(r'data-contest="[^"]*"'), 'data-contest="senate"'), {"about"}),
    "another election": (on_page(re.compile(r'data-election="[^"]*"'), f'data-election="{"0" * 64}"'), {"about"}),
    "the receipt of another sheet": (on_page(RECEIPT, other_receipt), {"receipt"}),
    "a hash in the receipt": (on_page(RECEIPT, flipped(-100)), {"receipt"}),
    "another entry of the log": (
        on_page(re.compile(rf'data-(index|sheet)="{INDEX}"'), lambda _, text: text.replace(str(INDEX), "7"), count=0),
        {"receipt", "included"},
    ),
    "the key of the log": (
        on_page(re.compile(r'data-log-key="[0-9a-f]*"'), f'data-log-key="{log_signer(5).verifier.ed25519_public_key.hex()}"'),
        {"receipt", "definition"},
    ),
    "the definition": (in_file("definition/definition.cose", other_definition), {"definition"}),
    "a byte of the definition": (in_file("definition/definition.cose", inverted(500)), {"definition"}),
    "the list of keys": (in_file("definition/register.csv", other_key), {"register"}),
    "a hash in a tile": (in_file("log/tile/0/001", inverted(5)), {"included"}),
    "a hash in the upper tile": (in_file(r"log/tile/1/.*", inverted(5)), {"included"}),
    "a tile cut short": (in_file("log/tile/0/001", lambda _, data: data[:-32]), {"included"}),
    "the root of the checkpoint": (
        in_file("log/checkpoint", lambda land, data: data.replace(data.split(b"\n")[2], b64encode(bytes(32)))),
        {"checkpoint"},
    ),
    "the checkpoint of another log": (in_file("log/checkpoint", signed_head(seed=5)), {"checkpoint"}),
    "a checkpoint over other entries": (in_file("log/checkpoint", signed_head(root=bytes(32))), {"included"}),
    "a checkpoint with one signature": (
        in_file("log/checkpoint", lambda _, data: data.rsplit(b"\n", 2)[0] + b"\n"),
        {"checkpoint"},
    ),
    "an old checkpoint": (in_file("log/checkpoint", signed_head(400)), {"checkpoint"}),
    "a checkpoint that cannot be read": (in_file("log/checkpoint", lambda _, data: data[:-1]), {"checkpoint"}),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_a_tamper_is_named_by_its_step(page: Page, land: Land, address: str, name: str) -> None:
    change, wrong = TAMPERS[name]
    land.served = dict(land.files)
    change(land, land.served)
    states = run(page, f"{address}/{land.page}")
    assert {step for step, state in states.items() if state == "bad"} == wrong, page.locator(".check-result").inner_text()
    assert set(states) == STEPS
    text = page.locator(".check-result").inner_text()
    assert "Something does not fit." in text
    assert "ended with an error" not in text


@pytest.mark.parametrize("path", ["log/checkpoint", "log/tile/.*", "definition/register.csv", "definition/definition.cose"])
def test_what_cannot_be_fetched_is_never_right(page: Page, land: Land, address: str, path: str) -> None:
    land.served = dict(land.files)
    without(path)(land, land.served)
    states = run(page, f"{address}/{land.page}")
    assert "bad" not in states.values()
    assert "open" in states.values()
    assert "could not be fetched" in page.locator(".check-result").inner_text()
    assert page.locator(".check-result").get_attribute("data-state") == "open"


# --- witnesses --------------------------------------------------------------------------------------------------------

BIRDS = ("owl", "rail", "wren")


def cosigner(bird: str) -> Ed25519Cosigner:
    return Ed25519Cosigner(f"{bird}.example", key_of(f"witness of {bird}"))


def watched(quorum: int, kinds: tuple[type[Ed25519Cosigner | MlDsa44Signer], ...] = (Ed25519Cosigner,) * 3) -> Land:
    """An election of two stations with three witnesses."""
    signers = [
        cosigner(bird)
        if kind is Ed25519Cosigner
        else MlDsa44Signer(f"{bird}.example", SigningKey(key_of(bird).seed, "ml-dsa-44"))
        for bird, kind in zip(BIRDS, kinds, strict=True)
    ]
    rows = [UnitRow("land", "", "Land", "country", None), *(UnitRow(f"n{n}", "land", f"Reed {n}", "table", 9) for n in range(2))]
    contest = Contest("mayor", "Mayor", "plurality", (Option("a", "Avocet"), Option("b", "Bittern")))

    def sheets(election: Election) -> Iterator[tuple[str, Payload]]:
        for station, counts in (("n0", (3, 4)), ("n1", (0, None))):
            yield f"station/{station}", TallySheet(election.hash, station, "mayor", counts, null=0)

    policy = WitnessPolicy(quorum, tuple(NamedWitness((str(signer.verifier.key),)) for signer in signers))
    land = Land(made_up(rows, (contest,), sheets, witnesses=policy), 2)
    note = cosigned(land, signers)
    land.files["log/checkpoint"] = note
    return land


def cosigned(land: Land, signers: Sequence[NoteSigner], time: int = TIME_MS // 1000) -> bytes:
    """The checkpoint with these cosignatures behind the log's own."""
    head = land.record.head
    checkpoint = Checkpoint(ORIGIN, head.size, head.root)
    return sign_checkpoint(checkpoint, [*log_signer().note_signers, *signers], time)


def outcome(page: Page, land: Land, note: bytes | None = None) -> tuple[str, str]:
    """State and text of the step about witnesses."""
    land.served = land.files if note is None else {**land.files, "log/checkpoint": note}
    with answering(land.answer) as root:
        states = run(page, f"{root}/{land.page}")
    assert {state for step, state in states.items() if step != "witnesses"} == {"good"}
    return states["witnesses"], page.locator("li[data-step=witnesses]").inner_text()


@pytest.fixture(scope="module")
def three() -> Land:
    return watched(2)


def test_witnesses_are_named_and_a_figure_nobody_stated_is_none(page: Page, three: Land) -> None:
    state, text = outcome(page, three)
    assert state == "good"
    assert "owl.example, rail.example, wren.example" in text


def test_too_few_witnesses(page: Page, three: Land) -> None:
    assert outcome(page, three, cosigned(three, [cosigner("owl"), cosigner("rail")]))[0] == "good"
    state, text = outcome(page, three, cosigned(three, [cosigner("owl"), cosigner("stork")]))
    assert state == "bad"
    assert "Too few witnesses" in text
    assert "stork" not in text


def test_a_false_cosignature_spoils_the_head(page: Page, three: Land) -> None:
    note = cosigned(three, [cosigner("owl"), cosigner("rail"), cosigner("wren")])
    lines = note.decode().split("\n")
    blob = bytearray(b64decode(lines[-2].split(" ")[2]))
    blob[-1] ^= 1
    lines[-2] = f"{lines[-2].rpartition(' ')[0]} {b64encode(blob).decode()}"
    state, text = outcome(page, three, "\n".join(lines).encode())
    assert state == "bad"
    assert "wren.example" in text


def test_cosignatures_without_a_time_and_from_tomorrow(page: Page, three: Land) -> None:
    signers = [cosigner(bird) for bird in BIRDS]
    assert outcome(page, three, cosigned(three, signers, 0))[0] == "bad"
    assert outcome(page, three, cosigned(three, signers, 2**40))[0] == "open"


def test_witnesses_whose_signatures_no_browser_can_check(page: Page) -> None:
    state, text = outcome(page, watched(2, (Ed25519Cosigner, MlDsa44Signer, MlDsa44Signer)))
    assert state == "open"
    assert "ML-DSA-44" in text
