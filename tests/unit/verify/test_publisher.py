"""A publisher who holds the log's keys and lies: every file is signed as it stands, and still not what the log gives."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import portal_helpers as portal
import verify_helpers as helpers
from scrutineer.log import Checkpoint, MerkleTree, leaf_hash, sign_checkpoint
from scrutineer.log.receipt import sign_head
from scrutineer.log.store import Head
from scrutineer.portal.formats import CHECKPOINT_FILE, DEFINITION_FILE, HEAD_FILE, MANIFEST_FILE, write_head
from scrutineer.portal.history_files import is_snapshot
from scrutineer.portal.manifest import Manifest, open_manifest, sign_manifest
from scrutineer.statements import Endorsement, SigningKey, TallySheet, sign_statement
from scrutineer.verify import Report

SIGNER = portal.log_signer()


@pytest.fixture(scope="module")
def story() -> helpers.Story:
    return helpers.told()


@pytest.fixture
def site(tmp_path: Path, story: helpers.Story) -> Path:
    story.published().publish(tmp_path / "site")
    return tmp_path / "site"


def named(report: Report) -> set[str]:
    return {finding.where.partition(",")[0] for finding in report.findings}


def test_what_is_published_honestly_passes(site: Path, story: helpers.Story) -> None:
    report = helpers.verified(site, story.election.hash)
    assert report.passed, [str(finding) for finding in report.findings]
    assert (report.sheets, report.bulletins, report.certificates) == (10, 2, 1)
    assert report.definition == story.election.hash.hex()
    assert report.definition_expected


@pytest.mark.parametrize("pattern", ["*.csv", "*.json", "*.html", "style.*.css", "icon.*.svg"])
def test_one_other_figure_in_any_file_is_found(site: Path, pattern: str) -> None:
    published = [p for p in sorted(site.rglob(pattern)) if p.parent.name not in ("definition", "log") and p.name != "site.json"]
    assert published
    for file in published:
        data = file.read_bytes()
        digits = list(re.finditer(rb"[0-9]", data))
        place = digits[len(digits) // 2].start()
        changed = data[:place] + bytes([48 + (data[place] - 47) % 10]) + data[place + 1 :]
        path = str(file.relative_to(site))
        helpers.signed_anew(site, SIGNER, {path: changed})
        report = helpers.verified(site)
        assert named(report) == {path}, path
        if not is_snapshot(path):  # These are read, and refused where they are no head of the log (test_history.py).
            assert "the log gives something else" in report.findings[0].message
            assert f"byte {place:,} " in report.findings[0].message
        helpers.signed_anew(site, SIGNER, {path: data})
    assert helpers.verified(site).passed


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("extra.html", b"<p>More</p>"),
        ("log/tile/0/001.p/3", bytes(96)),
        ("units/land.htm", b""),
        ("data/president/more.csv", b"a\n"),
    ],
)
def test_a_file_that_the_log_does_not_give_is_found(site: Path, path: str, data: bytes) -> None:
    helpers.signed_anew(site, SIGNER, {path: data})
    assert named(helpers.verified(site)) == {path}


def test_a_file_left_out_is_found_also_where_the_manifest_leaves_it_out(site: Path) -> None:
    for path in ("stations/north/a1.html", "data/council/results.csv", "quarantine.html"):
        data = (site / path).read_bytes()
        helpers.signed_anew(site, SIGNER, {path: None})
        report = helpers.verified(site)
        assert named(report) == {path}
        assert "is missing" in report.findings[0].message
        helpers.signed_anew(site, SIGNER, {path: data})


def test_a_manifest_that_lists_itself_or_a_file_that_is_not_there_is_refused(site: Path) -> None:
    manifest = open_manifest((site / MANIFEST_FILE).read_bytes(), SIGNER.verifier)
    for path in (MANIFEST_FILE, "not-there.html"):
        (site / MANIFEST_FILE).write_bytes(sign_manifest(replace(manifest, files={**manifest.files, path: bytes(32)}), SIGNER))
        assert named(helpers.verified(site)) == {path}


def test_a_manifest_of_another_size_is_refused(site: Path) -> None:
    manifest = open_manifest((site / MANIFEST_FILE).read_bytes(), SIGNER.verifier)
    (site / MANIFEST_FILE).write_bytes(sign_manifest(Manifest(manifest.size - 1, manifest.files), SIGNER))
    assert named(helpers.verified(site)) == {MANIFEST_FILE}


def test_a_manifest_signed_by_somebody_else_is_refused(site: Path) -> None:
    manifest = open_manifest((site / MANIFEST_FILE).read_bytes(), SIGNER.verifier)
    (site / MANIFEST_FILE).write_bytes(sign_manifest(manifest, portal.log_signer(40)))
    assert named(helpers.verified(site)) == {MANIFEST_FILE}


def test_another_time_in_the_head_is_found(site: Path, story: helpers.Story) -> None:
    record = story.published().record
    for change in (1_000, -1_000, 86_400_000):
        head = replace(record.head, time_ms=record.head.time_ms + change)
        helpers.signed_anew(site, SIGNER, {HEAD_FILE: write_head(head)})
        report = helpers.verified(site)
        assert named(report) == {HEAD_FILE}
        assert "the checkpoint was signed at" in report.findings[0].message


class TestParquet:
    """The one format that may be written by another version of its library."""

    PATH = "data/president/stations.parquet"

    def table(self, site: Path) -> pa.Table:
        return pq.read_table(site / self.PATH)

    def put(self, site: Path, table: pa.Table, **options: object) -> None:
        sink = io.BytesIO()
        pq.write_table(table, sink, **{"version": "2.6", "compression": "snappy", **options})
        assert sink.getvalue() != (site / self.PATH).read_bytes()
        helpers.signed_anew(site, SIGNER, {self.PATH: sink.getvalue()})

    @pytest.mark.parametrize("options", [{"use_dictionary": False}, {"compression": "zstd"}, {"write_statistics": False}])
    def test_the_same_table_in_other_bytes_passes(self, site: Path, options: dict[str, object]) -> None:
        self.put(site, self.table(site), **options)
        assert helpers.verified(site).passed

    def test_one_other_figure_is_found(self, site: Path) -> None:
        table = self.table(site)
        place = table.schema.get_field_index("votes:wren")
        figures = table["votes:wren"].to_pylist()
        figures[1] += 1
        self.put(site, table.set_column(place, table.schema.field(place), pa.array(figures, pa.int32())))
        assert named(helpers.verified(site)) == {self.PATH}

    def test_a_row_or_column_more_or_less_is_found(self, site: Path) -> None:
        table = self.table(site)
        more = table.append_column("more", pa.array(range(table.num_rows)))
        for other in (table.slice(1), pa.concat_tables([table, table]), table.drop_columns(["null"]), more):
            self.put(site, other)
            assert named(helpers.verified(site)) == {self.PATH}

    def test_metadata_of_its_own_is_found(self, site: Path) -> None:
        table = self.table(site)
        self.put(site, table.replace_schema_metadata({"result": "something else"}))
        assert named(helpers.verified(site)) == {self.PATH}

    def test_other_control_totals_are_found(self, site: Path) -> None:
        given = (site / self.PATH).read_bytes()
        # The footer states them twice: in plain and in the schema of Arrow, which is in base64.
        changed = given.replace(b'"votes:wren": ', b'"votes:wren":9')
        assert changed != given
        helpers.signed_anew(site, SIGNER, {self.PATH: changed})
        assert named(helpers.verified(site)) == {self.PATH}

    def test_more_row_groups_and_page_indexes_are_found(self, site: Path) -> None:
        for options in ({"row_group_size": 2}, {"write_page_index": True}):
            self.put(site, self.table(site), **options)
            assert named(helpers.verified(site)) == {self.PATH}

    def test_statistics_that_would_make_readers_skip_rows_are_found(self, site: Path) -> None:
        given = (site / self.PATH).read_bytes()
        table = self.table(site)
        places = table.schema.get_field_index("votes:heron")
        statistics = pq.read_metadata(io.BytesIO(given)).row_group(0).column(places).statistics
        largest = int(statistics.max).to_bytes(4, "little")
        footer = len(given) - 8 - int.from_bytes(given[-8:-4], "little")
        changed = given[:footer] + given[footer:].replace(largest, (1).to_bytes(4, "little"))
        assert changed != given
        assert pq.read_table(io.BytesIO(changed)).equals(table)
        helpers.signed_anew(site, SIGNER, {self.PATH: changed})
        assert named(helpers.verified(site)) == {self.PATH}

    def test_what_is_no_parquet_is_found(self, site: Path) -> None:
        for data in (b"", b"PAR1", b"PAR1" + bytes(50) + b"PAR1", b"x" * 10_000_000):
            helpers.signed_anew(site, SIGNER, {self.PATH: data})
            assert named(helpers.verified(site)) == {self.PATH}


class TestLog:
    """A log whose tree and signatures hold, and whose entries say what they may not."""

    def report(self, tmp_path: Path, story: helpers.Story, expected: bytes | None = None) -> Report:
        """Publish entries as they are, with a count that passes over what cannot be counted, and verify."""
        site = tmp_path / "site"
        publish_unchecked(story, site)
        return helpers.verified(site, expected)

    def check(self, tmp_path: Path, story: helpers.Story, text: str) -> None:
        report = self.report(tmp_path, story)
        place = f"log/tile/entries/000.p/{len(story.log)}, entry "
        found = [f for f in report.findings if f.where.startswith(place) and re.search(text, f.message)]
        assert found, [str(finding) for finding in report.findings]

    def test_a_statement_with_a_broken_signature(self, tmp_path: Path) -> None:
        story = helpers.begin()
        sheet = story.sheet("a1", helpers.PRESIDENT, (1, 2, 3))
        story.log[-1] = sheet[:-1] + bytes([sheet[-1] ^ 1])
        self.check(tmp_path, story, "signature")

    def test_a_sheet_by_a_key_that_nobody_accredited(self, tmp_path: Path) -> None:
        story = helpers.begin()
        story.sheet("a1", helpers.PRESIDENT, (1, 2, 3), key=SigningKey(b"k" * 32))
        self.check(tmp_path, story, "is not one of 'station/a1'")

    def test_a_sheet_by_another_station(self, tmp_path: Path) -> None:
        story = helpers.begin()
        story.say("station/a2", story.sheet_of("a1", helpers.PRESIDENT, (1, 2, 3)))
        self.check(tmp_path, story, "speaks for itself alone")

    def test_an_issuer_that_nobody_knows(self, tmp_path: Path) -> None:
        story = helpers.begin()
        story.say("observer/nobody", _attestation(story))
        self.check(tmp_path, story, "is not in the register")

    def test_a_bulletin_by_an_observer(self, tmp_path: Path) -> None:
        story = helpers.told()
        story.say(helpers.OBSERVER, helpers.make_bulletin(*story.count(), number=3, time=helpers.NOON))
        self.check(tmp_path, story, "may not sign")

    def test_a_second_definition(self, tmp_path: Path) -> None:
        story = helpers.begin()
        story.log.append(helpers.begin(id="other").log[0])
        self.check(tmp_path, story, "one definition")

    def test_a_statement_of_another_election(self, tmp_path: Path) -> None:
        story, other = helpers.begin(), helpers.begin(id="other")
        story.log.append(other.sheet("a1", helpers.PRESIDENT, (1, 2, 3)))
        self.check(tmp_path, story, "belongs to election")

    @pytest.mark.parametrize("entry", [b"", b"\x00", b"\xd2\x84", b"not a statement", bytes(60_000), b"\xff" * 65_535])
    def test_bytes_that_are_no_statement(self, tmp_path: Path, entry: bytes) -> None:
        story = helpers.begin()
        story.log.append(entry)
        self.check(tmp_path, story, "")

    def test_a_statement_that_is_in_twice(self, tmp_path: Path) -> None:
        story = helpers.begin()
        story.log.append(story.sheet("a1", helpers.PRESIDENT, (1, 2, 3)))
        self.check(tmp_path, story, "twice")

    def test_a_decision_that_is_said_again_to_overrule_what_came_after_it(self, tmp_path: Path) -> None:
        story = helpers.begin()
        decision = {"election": story.election.hash, "station": "a1", "contest": "president", "reason": "The paper says so."}
        sheet = story.sheet("a1", helpers.PRESIDENT, (1, 2, 3))
        story.act(helpers.Decision(action="accept", sheet=helpers.statement_hash(sheet), **decision))
        story.sheet("a1", helpers.PRESIDENT, (3, 2, 1))
        story.log += story.log[2:4]
        self.check(tmp_path, story, "twice: it is entry 2 already")

    @pytest.mark.parametrize("field", ["size", "root", "contests", "results"])
    def test_a_bulletin_with_one_wrong_figure(self, tmp_path: Path, field: str) -> None:
        story = helpers.told()
        count, root = story.count()
        right = helpers.make_bulletin(count, root, number=3, time=helpers.NOON)
        first = right.contests[0]
        wrong = {
            "size": right.size - 1,
            "root": bytes(32),
            "contests": (helpers.msgspec.structs.replace(first, votes=(first.votes[0] + 1, *first.votes[1:])), right.contests[1]),
            "results": bytes(32),
        }
        story.bulletin(3, **{field: wrong[field]})
        self.check(tmp_path, story, "states")

    def test_every_figure_of_a_certificate_counts(self, tmp_path: Path) -> None:
        story = helpers.told()
        count, root = story.count()
        first = helpers.make_certificate(count, root, time=helpers.NOON).contests[0]
        changes: list[dict[str, object]] = [
            {"blank": 1},
            {"null": None},
            {"ballots": first.ballots + 1},
            {"elected": ("finch",)},
            {"margin": 1},
            {"changeable": True},
            {"open_ballots": 5},
            {"counted": first.counted - 1, "outstanding": first.outstanding + 1},
        ]
        for change in changes:
            lie = helpers.told()
            contests = (
                helpers.msgspec.structs.replace(first, **change),
                *helpers.make_certificate(count, root, time=1).contests[1:],
            )
            lie.certificate(contests=contests)
            report = self.report(tmp_path / str(len(change)) / next(iter(change)), lie)
            assert any(finding.check == "certificate" and next(iter(change)) in finding.message for finding in report.findings)

    def test_a_bulletin_about_the_future(self, tmp_path: Path) -> None:
        story = helpers.told()
        story.bulletin(3, size=10_000)
        self.check(tmp_path, story, "had not reached")

    def test_a_bulletin_that_leaves_out_a_contest_or_names_one_twice(self, tmp_path: Path) -> None:
        for number, places in enumerate(((0,), (), (0, 0, 1), (1, 0, 0))):
            story = helpers.told()
            count, root = story.count()
            contests = helpers.make_bulletin(count, root, number=3, time=1).contests
            story.bulletin(3, contests=tuple(contests[place] for place in places))
            self.check(tmp_path / str(number), story, "states")

    def test_a_log_that_begins_with_something_else(self, tmp_path: Path) -> None:
        story = helpers.told()
        story.log[0], story.log[1] = story.log[1], story.log[0]
        report = self.report(tmp_path, story)
        assert not report.passed
        assert any("the first entry is not the definition" in finding.message for finding in report.findings)


def test_another_election_than_the_expected_one(site: Path) -> None:
    report = helpers.verified(site, bytes(32))
    assert named(report) == {DEFINITION_FILE}
    assert "was expected" in report.findings[0].message


def test_a_checkpoint_of_an_earlier_size(site: Path, story: helpers.Story) -> None:
    earlier = helpers.Story(story.election, story.tables, story.log[:-1]).published().record
    helpers.signed_anew(site, SIGNER, {CHECKPOINT_FILE: earlier.checkpoint})
    assert not helpers.verified(site).passed
    helpers.signed_anew(site, SIGNER, {CHECKPOINT_FILE: earlier.checkpoint, HEAD_FILE: write_head(earlier.head)})
    assert not helpers.verified(site).passed


def test_a_checkpoint_with_one_signature_or_a_foreign_one(site: Path, story: helpers.Story) -> None:
    record = story.published().record
    note = Checkpoint(portal.ORIGIN, record.head.size, record.head.root)
    foreign = portal.log_signer(60).note_signers
    seconds = portal.TIME_MS // 1000
    for signers in (SIGNER.note_signers[:1], SIGNER.note_signers[1:], foreign, (SIGNER.note_signers[0], foreign[1])):
        helpers.signed_anew(site, SIGNER, {CHECKPOINT_FILE: sign_checkpoint(note, signers, seconds)})
        assert named(helpers.verified(site)) == {CHECKPOINT_FILE}


def test_an_empty_log(site: Path) -> None:
    empty = Checkpoint(portal.ORIGIN, 0, MerkleTree().root())
    helpers.signed_anew(site, SIGNER, {CHECKPOINT_FILE: sign_checkpoint(empty, SIGNER.note_signers, 1)})
    assert not helpers.verified(site).passed


def test_a_log_said_to_be_longer_than_it_can_be(site: Path) -> None:
    for size in (33, 10**6, 2**62):
        head = Head(size, bytes(32), sign_head(size, bytes(32), SIGNER), portal.TIME_MS)
        note = sign_checkpoint(Checkpoint(portal.ORIGIN, size, bytes(32)), SIGNER.note_signers, portal.TIME_MS // 1000)
        helpers.signed_anew(site, SIGNER, {CHECKPOINT_FILE: note, HEAD_FILE: write_head(head)})
        assert not helpers.verified(site).passed


def _attestation(story: helpers.Story) -> helpers.Attestation:
    return helpers.Attestation(election=story.election.hash, station="a1", contest="president", counts=(1, 2, 3))


def publish_unchecked(story: helpers.Story, site: Path) -> None:
    """Publish a log with a consistent tree and signatures, whatever its entries are."""
    from scrutineer.count import Count
    from scrutineer.errors import ScrutineerError
    from scrutineer.portal import Record, SiteOptions
    from scrutineer.portal.publish import publish

    count = Count(story.election)
    for index, entry in enumerate(story.log):
        try:
            count.apply([entry])
        except ScrutineerError:
            if count.size == index:
                count.pass_over()
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in story.log])
    size, root = len(story.log), tree.root()
    head = Head(size, root, sign_head(size, root, SIGNER), portal.TIME_MS)
    checkpoint = sign_checkpoint(Checkpoint(portal.ORIGIN, size, root), SIGNER.note_signers, portal.TIME_MS // 1000)
    record = Record(
        election=story.election,
        count=count,
        definition=helpers.begin().log[0] if story.log[0] != helpers.begin().log[0] else story.log[0],
        units_table=story.tables[0],
        register_table=story.tables[1],
        checkpoint=checkpoint,
        head=head,
        tree=tree,
        verifier=SIGNER.verifier,
        entry=story.log.__getitem__,
        options=SiteOptions(),
    )
    publish(record, lambda start, stop: iter(story.log[start:stop]), SIGNER, site)


def test_the_sheet_of_the_helpers_is_one(story: helpers.Story) -> None:
    sheet = story.sheet_of("a1", helpers.PRESIDENT, (1, 2, 3))
    assert isinstance(sheet, TallySheet)
    assert sign_statement(sheet, "station/a1", portal.key_of("station/a1"))


def test_a_bulletin_number_stands_once(tmp_path: Path) -> None:
    story = helpers.told()
    story.bulletin(2)
    story.published().publish(tmp_path / "site")
    report = helpers.verified(tmp_path / "site")
    assert [finding.check for finding in report.findings] == ["bulletin"]
    assert "bulletin 2 was issued before" in report.findings[0].message


def test_a_definition_with_too_few_signatures_is_not_in_force(tmp_path: Path) -> None:
    story = helpers.begin(thresholds={"definition": 2})
    story.sheet("a1", helpers.PRESIDENT, (50, 20, 10))
    story.published().publish(tmp_path / "site")
    report = helpers.verified(tmp_path / "site")
    assert [finding.check for finding in report.findings] == ["definition"]
    assert "2 officers, and the log holds 1" in report.findings[0].message
    endorsement = Endorsement(election=story.election.hash, statement=story.election.hash, verdict="sign")
    story.say(helpers.OFFICERS[1], endorsement)
    story.published().publish(tmp_path / "again")
    assert helpers.verified(tmp_path / "again").passed
