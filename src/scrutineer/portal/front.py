"""The front page: every contest's result, whether it can still change, and the way to everything else."""

from collections.abc import Iterator
from typing import Final

from scrutineer.election.definition import BASELINE_TABLE
from scrutineer.portal import words as say
from scrutineer.portal.call_pages import call_picture, call_sentence, statistics
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import mark, progress_bar
from scrutineer.portal.pages import Pages
from scrutineer.portal.text import count_of, number, percent, time, words
from scrutineer.portal.view import View
from scrutineer.portal.votes import candidates_table, rounds_table
from scrutineer.portal.witness_words import witness_sentences
from scrutineer.statements import Bulletin

LATEST_BULLETINS: Final = 5
DATA_FILES: Final = {
    "results.csv": "places (CSV)",
    "stations.csv": "stations (CSV)",
    "stations.parquet": "stations (Parquet)",
}


def front_page(pages: Pages) -> Iterator[SiteFile]:
    """`index.html`."""
    view = pages.view
    definition = view.election.definition
    head = (
        f'<h1>{words(definition.name)}</h1>\n<p class="meta">{definition.date} · {words(definition.authority)}</p>\n'
        f'<p class="layer">{mark(view.layer, say.LAYERS[view.layer])} {say.LAYER_SENTENCES[view.layer]}</p>\n'
    )
    if len(view.standings) > 1:
        links = "".join(f'<li><a href="#contest-{c.id}">{words(c.title)}</a></li>' for c in view.election.contests)
        head += f'<nav class="contents" aria-label="Contests"><ul>{links}</ul></nav>\n'
    content = [head, *(_contest(view, contest) for contest in range(len(view.standings)))]
    content += ['<div class="more">\n', _bulletins(view), _data(view), _check(view), "</div>\n"]
    yield pages.plain("index.html", "Result", "".join(content))


def _contest(view: View, number_: int) -> str:
    now = view.standings[number_]
    contest, result = now.contest, now.result
    unit = view.election.contest_units[number_]
    chance = say.change(now, view.election.definition.provenance, by_statistics=statistics(view, number_))
    where = "" if unit == 0 else f' <span class="where">{words(view.units.names[unit])}</span>'
    roll = ""
    if result.roll is not None and result.roll_counted is not None:
        share = percent(result.roll_counted, result.roll)
        roll = f" Their rolls hold {share} of {count_of(result.roll, 'registered voter', 'registered voters')}."
    beside = ""
    if result.quarantined or result.excluded:
        beside = (
            f'<p class="beside">Beside these totals, never in them: {count_of(result.quarantined, "station", "stations")} '
            f"in quarantine, {number(result.excluded)} excluded by decision. "
            '<a href="quarantine.html">See each of them</a>.</p>\n'
        )
    return (
        f'<section class="contest" id="contest-{contest.id}">\n<h2>{words(contest.title)}{where}</h2>\n'
        f'<p class="lead">{say.headline(now)}</p>\n{progress_bar(result)}\n'
        f'<p class="progress"><strong>{percent(result.counted, result.stations)} counted.</strong> '
        f"{say.progress_sentence(result)}.{roll}</p>\n"
        f'<div class="change {chance.state}"><h3>Can it still change? {mark(chance.state, chance.label)}</h3>'
        f"<p>{chance.sentence}</p>\n{call_sentence(view, number_)}</div>\n{call_picture(view, number_)}"
        f"{candidates_table(view, number_, result)}{rounds_table(view, number_)}{beside}"
        f'<p class="go"><a class="button" href="{view.page_of(unit)}">See every place</a></p>\n</section>\n'
    )


def _bulletins(view: View) -> str:
    stated = view.bulletins
    if not stated:
        return "<section>\n<h2>Bulletins</h2>\n<p>The authority has published no bulletin yet.</p>\n</section>\n"
    rows = []
    for path, act in stated[: -LATEST_BULLETINS - 1 : -1]:
        bulletin = act.recorded.statement.payload
        if isinstance(bulletin, Bulletin):
            rows.append(
                f'<li><a href="{path}">Bulletin {number(bulletin.number)}</a>, {time(bulletin.time)}, '
                f"at {number(bulletin.size)} log entries</li>\n"
            )
        else:
            rows.append(f'<li><a href="{path}">Certificate</a></li>\n')
    return (
        f"<section>\n<h2>Bulletins</h2>\n<ul>\n{''.join(rows)}</ul>\n"
        f'<p><a href="bulletins/index.html">All {number(len(stated))}</a></p>\n</section>\n'
    )


def _data(view: View) -> str:
    rows = []
    for contest in view.election.contests:
        links = " · ".join(f'<a href="{view.places.contest(contest.id, file)}">{label}</a>' for file, label in DATA_FILES.items())
        rows.append(f"<li>{words(contest.title)}: {links}</li>\n")
    has_baseline = BASELINE_TABLE in view.election.definition.tables
    earlier = ' · <a href="definition/baseline.csv">votes of an earlier election</a>' if has_baseline else ""
    return (
        f'<section>\n<h2>Data</h2>\n<ul>\n{"".join(rows)}<li>All contests: <a href="data/results.nist.json">NIST (JSON)</a> · '
        '<a href="data/summary.json">summary (JSON)</a></li>\n'
        '<li>The election: <a href="definition/units.csv">places</a> · <a href="definition/register.csv">keys</a>'
        f"{earlier}</li>\n"
        "</ul>\n</section>\n"
    )


def _check(view: View) -> str:
    return (
        "<section>\n<h2>Check it yourself</h2>\n"
        "<p>Everything here is computed from one public log of signed statements. One command replays all of it:</p>\n"
        "<pre><code>scrutineer verify</code> <i>this folder or its address</i></pre>\n"
        f'<p class="witnesses">{witness_sentences(view.cosigners, view.pending)}</p>\n'
        '<p><a href="check.html">How to check this count</a></p>\n</section>\n'
    )
