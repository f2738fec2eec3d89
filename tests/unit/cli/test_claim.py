"""`scrutineer claim`: the report and its exit status, records of every kind, quoting in a log, and what cannot be used."""

import shutil
from pathlib import Path

import pytest

from cli_helpers import call, opened, refused, rows, serving, signed
from scrutineer.cli.keyring import make_key
from scrutineer.cli.office import Office
from scrutineer.statements import Accreditation, Claim, parse_statement

CASES = Path(__file__).resolve().parents[3] / "docs" / "cases"
CLAIM = """\
[claim]
announced_by = "The Aviary Gazette"
announced_at = "at night"
source = "page 1"
contest = "president"
counted = "100 %"

[[claim.figures]]
name = "Heron"
option = "heron"
votes = {heron}
"""


def written(folder: Path, heron: int, name: str = "claim.toml", extra: str = "") -> Path:
    path = folder / name
    path.write_text(CLAIM.format(heron=heron) + extra, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An opened folder with sheets of all six stations in its log, 100 votes for heron each, and its published site."""
    folder = opened(tmp_path_factory.mktemp("election") / "birds")
    bundle = signed(folder, rows())
    with serving(folder) as service:
        call("submit", bundle, "--to", service.address, "--definition", folder / "record/definition.cose")
    call("publish", folder, "--to", folder.parent / "site")
    return folder


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "birds"))


class TestReport:
    def test_nothing_contradicts(self) -> None:
        text = call("claim", CASES / "brazil-2022-round-2.toml").out
        assert "Tribunal Superior Eleitoral (Brazil), 31 October 2022" in text
        assert "60,345,999" in text
        assert "Can show:" in text
        assert "It takes no side" in text
        assert "Can show:" not in call("claim", CASES / "brazil-2022-round-2.toml", "--brief").out

    def test_something_cannot_be(self) -> None:
        result = call("claim", CASES / "france-2022-round-1.toml", "--brief", code=1)
        assert "[CANNOT BE]" in result.out
        assert "Innocent explanations:" in result.out
        assert result.err == ""

    def test_files_are_taken_in_the_order_of_time(self) -> None:
        both = [CASES / f"venezuela-2024-announcement-{number}.toml" for number in (1, 2)]
        found = call("claim", *both, "--json").json
        assert [row["reachable"] for row in found["between"]] == [True]
        backwards = call("claim", *reversed(both), "--json", code=1).json
        assert [row["reachable"] for row in backwards["between"]] == [False]

    def test_the_recount_band_of_the_law(self) -> None:
        found = call("claim", CASES / "florida-2000.toml", "--recount", "0.5 %", "--json").json
        assert found["announcements"][0]["lead"]["reasons"] == ["recount-band"]
        assert found["announcements"][0]["lead"]["band"] == "596311/20"


class TestRecords:
    def compare(self, claim: Path, where: Path, *options: object, code: int = 0) -> tuple[bool | None, int]:
        found = call("claim", claim, "--against", where, *options, "--json", code=code).json["announcements"][0]["record"]
        return found["fits"], found["compared"][0]["difference"]

    def test_a_log_and_its_site_say_the_same(self, made: Path, tmp_path: Path) -> None:
        right, wrong = written(tmp_path, 600), written(tmp_path, 640, "wrong.toml")
        for where in (made, made.parent / "site"):
            assert self.compare(right, where) == (True, 0)
            assert self.compare(wrong, where, code=1) == (False, 40)

    def test_of_one_unit(self, made: Path, tmp_path: Path) -> None:
        north = tmp_path / "north.toml"
        north.write_text(CLAIM.format(heron=300).replace('"president"', '"president"\nunit = "north"'))
        for where in (made, made.parent / "site"):
            assert self.compare(north, where) == (True, 0)
        north.write_text(CLAIM.format(heron=300).replace('"president"', '"president"\nunit = "nowhere"'))
        assert "there is no unit 'nowhere'" in refused("claim", north, "--against", made)

    def test_a_plain_table(self, tmp_path: Path) -> None:
        table = tmp_path / "table.csv"
        table.write_text("station,roll,heron,owl\na,900,400,100\nb,300,,\n")
        assert self.compare(written(tmp_path, 500), table) == (None, 100)
        with_stations = written(tmp_path, 800, extra="").read_text().replace('"100 %"', '"100 %"\nstations = 2')
        (tmp_path / "claim.toml").write_text(with_stations)
        text = call("claim", tmp_path / "claim.toml", "--against", table, code=1).out
        assert "even if every outstanding station had voted entirely for Heron, Heron could have at most 700" in text

    def test_a_published_set_by_its_layout(self, tmp_path: Path) -> None:
        table, layout = tmp_path / "published.csv", tmp_path / "aviary.toml"
        table.write_text("Table,Registered,Heron,Owl\n1,700,250,180\n2,600,350,100\n")
        layout.write_text(
            'title = "Aviary"\npublisher = "The Aviary Gazette"\ndate = "2026-06-07"\ntimezone = "UTC"\n'
            '[root]\nid = "aviary"\nname = "The Aviary"\n[station]\nid = "Table"\nroll = "Registered"\n'
            '[[contest]]\nid = "president"\ntitle = "President"\nrule = "plurality"\n'
            '[[contest.option]]\nid = "heron"\nname = "Grey Heron"\ncolumn = "Heron"\n'
            '[[contest.option]]\nid = "owl"\nname = "Owl"\ncolumn = "Owl"\n'
        )
        (tmp_path / "claim.toml").write_text(CLAIM.format(heron=600).replace('"100 %"', '"100 %"\nstations = 2'))
        assert self.compare(tmp_path / "claim.toml", table, "--layout", layout) == (True, 0)
        assert "published by: The Aviary Gazette" in call(
            "claim", tmp_path / "claim.toml", "--against", table, "--layout", layout
        ).out.replace("Published", "published")

    def test_a_folder_that_is_no_record(self, tmp_path: Path) -> None:
        assert "neither an opened election folder nor a published site" in refused(
            "claim", written(tmp_path, 1), "--against", tmp_path, code=2
        )

    def test_a_site_with_a_broken_table(self, made: Path, tmp_path: Path) -> None:
        site = shutil.copytree(made.parent / "site", tmp_path / "site")
        table = site / "data/president/stations.csv"
        whole = table.read_text()
        broken = {
            "": "lacks 6 stations",
            whole.rpartition("south-3")[0]: "lacks 1 stations",
            whole + whole.splitlines()[-1] + "\n": "cannot be read",
            whole.replace(",100,", ",x,"): "cannot be read",
            whole.replace(",counted,", ",there,"): "cannot be read",
            whole.replace("north-1", "nowhere-1"): "cannot be read",
            whole.replace("votes:heron", "votes:x"): "cannot be read",
        }
        for text, message in broken.items():
            table.write_text(text)
            assert f"stations.csv {message}" in refused("claim", written(tmp_path, 1), "--against", site, code=2)


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--layout", "poland-2025-round1"], "--layout says how to read the file of --against"),
            (["--as", "authority/officer-1"], "give --into DIR as well"),
            (["--recount", "5"], "decides nothing"),
            (["--recount", "half"], "not a share"),
            (["--against", "nothing-there"], "does not exist"),
        ],
    )
    def test_options_that_do_not_go_together(self, tmp_path: Path, arguments: list[str], text: str) -> None:
        assert text in refused("claim", written(tmp_path, 1), *arguments, code=2)

    def test_a_file_that_is_no_claim(self, tmp_path: Path) -> None:
        path = written(tmp_path, 1, extra="votse = 1\n")
        assert "claim.toml, line 12, claim.figures[1].votse: no such key; write 'votes'" in refused("claim", path, code=2)

    def test_no_figure_can_be_compared(self, made: Path, tmp_path: Path) -> None:
        path = written(tmp_path, 1)
        path.write_text(path.read_text().replace('"heron"', '"penguin"'))
        assert "name the options as it does (heron, kingfisher, owl)" in refused("claim", path, "--against", made, code=2)

    def test_another_contest(self, made: Path, tmp_path: Path) -> None:
        path = written(tmp_path, 600)
        path.write_text(path.read_text().replace('"president"', '"President of the Aviary"'))
        assert call("claim", path, "--against", made, "--json").json["contradicts"] is False
        assert "there is no contest 'mayor'" in refused("claim", path, "--against", made, "--contest", "mayor", code=2)


class TestQuoting:
    def claims(self, office: Path) -> list[tuple[str, Claim]]:
        log = Office.load(office).read_log()
        try:
            statements = map(parse_statement, log.entries(1))
            return [(one.issuer, one.payload) for one in statements if isinstance(one.payload, Claim)]
        finally:
            log.close()

    def test_an_officer_quotes_a_claim(self, office: Path, tmp_path: Path) -> None:
        before = call("count", office, "--json").json
        result = call("claim", written(tmp_path, 1), "--brief", "--into", office)
        assert f"Quoted in the log as entry {before['size']}." in result.out
        ((issuer, claim),) = self.claims(office)
        assert (issuer, claim.contest, claim.figures[0].votes) == ("authority/officer-1", "president", 1)
        after = call("count", office, "--json").json
        assert after["contests"] == before["contests"]
        assert call("publish", office, "--to", tmp_path / "site").code == 0
        assert "PASS" in call("verify", tmp_path / "site").out

    def test_an_observer_that_was_accredited_quotes_with_its_own_key(self, office: Path, tmp_path: Path) -> None:
        key = make_key(tmp_path / "ibis.pem")
        arguments = ("claim", written(tmp_path, 1), "--into", office, "--as", "observer/ibis", "--key", tmp_path / "ibis.pem")
        assert "is not in the register" in refused_after_report(*arguments)
        own = Office.load(office)
        admitted = Accreditation(
            election=own.election.hash, action="admit", issuer="observer/ibis", role="observer", key=key.public_key
        )
        log = own.open_log()
        log.append(own.sign(admitted, "accreditation"))
        log.close()
        call(*arguments)
        assert [issuer for issuer, _ in self.claims(office)] == ["observer/ibis"]

    def test_through_a_service(self, office: Path, tmp_path: Path) -> None:
        with serving(office) as service:
            found = call("claim", written(tmp_path, 1), "--into", office, "--to", service.address, "--json").json
            assert "--to URL" in refused_after_report("claim", written(tmp_path, 2), "--into", office)
        assert len(found["entries"]) == 1
        assert len(self.claims(office)) == 1

    def test_a_key_that_is_not_here(self, office: Path, tmp_path: Path) -> None:
        for issuer in ("observer/ibis", "authority/nobody", "authority/officer-99", "nobody"):
            assert "name its file with --key" in refused("claim", written(tmp_path, 1), "--into", office, "--as", issuer, code=2)

    def test_an_option_that_the_contest_does_not_have(self, office: Path, tmp_path: Path) -> None:
        path = written(tmp_path, 1)
        path.write_text(path.read_text().replace('option = "heron"', 'option = "penguin"'))
        assert "the claim names option 'penguin'" in refused_after_report("claim", path, "--into", office)


def refused_after_report(*arguments: object) -> str:
    """A claim that is not taken into the log."""
    return refused(*arguments, code=1)
