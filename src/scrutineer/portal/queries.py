"""Questions that the published tables answer, as SQL for DuckDB, which reads them where they lie: in a folder or on a server."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scrutineer.election import Contest
from scrutineer.language import msg
from scrutineer.portal.api_files import root_path
from scrutineer.portal.view import View


@dataclass(frozen=True, slots=True)
class Query:
    """A question (a message) and the statement that answers it; paths in it are relative to the site's folder."""

    question: str
    sql: str


_QUERIES: Final = (
    Query(
        msg("The totals of the contest, added up from its stations"),
        "SELECT count(*) AS stations, sum(COLUMNS('votes:.*')) FROM '<stations>' WHERE status = 'counted';",
    ),
    Query(
        msg("How many stations are in which state"),
        "SELECT status, count(*) AS stations, sum(roll) AS registered FROM '<stations>' GROUP BY status ORDER BY status;",
    ),
    Query(
        msg("Stations whose sheet has not arrived"),
        "SELECT station, name, parent, roll FROM '<stations>' WHERE status = 'outstanding' LIMIT 20;",
    ),
    Query(
        msg("Stations with the highest turnout"),
        'SELECT station, name, "cast", roll, round(100.0 * "cast" / roll, 2) AS turnout FROM \'<stations>\' '
        "WHERE status = 'counted' AND roll > 0 ORDER BY turnout DESC NULLS LAST, station LIMIT 20;",
    ),
    Query(
        msg("The places directly below the country"),
        "SELECT name, counted, stations, ballots, COLUMNS('votes:.*') FROM '<results>' WHERE parent = '<country>';",
    ),
    Query(
        msg("The same places, with their files of the API"),
        "SELECT c.name, c.kind, c.stations, c.file FROM (SELECT unnest(children) AS c FROM '<unit>');",
    ),
    Query(
        msg("Rows and hashes that the tables must have"),
        "SELECT f.file, f.\"rows\", f.sha256 FROM (SELECT unnest(files) AS f FROM '<control>');",
    ),
)


def queries(view: View, contest: Contest) -> Iterator[Query]:
    """Questions about one contest."""
    values = {
        "<stations>": view.places.contest(contest.id, "stations.parquet"),
        "<results>": view.places.contest(contest.id, "results.csv"),
        "<control>": view.places.contest(contest.id, "control.json"),
        "<unit>": root_path(view),
        "<country>": view.units.ids[0],
    }
    for query in _QUERIES:
        if "<unit>" in query.sql and not values["<unit>"]:
            continue
        sql = query.sql
        for name, value in values.items():
            sql = sql.replace(name, value)
        yield Query(query.question, sql)
