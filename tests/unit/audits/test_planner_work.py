import numpy as np
import pytest

from scrutineer.audits.planner_work import Costs, Site
from scrutineer.errors import AuditError

CARDS = np.array([100, 50, 0, 200], np.int64)
PLACES = ("harbour", "harbour", "hill", "hill")
SITE = Site.of(CARDS, PLACES, Costs(box=10, card=1, counted_card=0.25, place=100))


def test_a_full_count_opens_every_box_that_holds_cards():
    work = SITE.everything()
    assert (work.boxes, work.cards, work.places) == (3, 350, 2)
    assert work.cost == pytest.approx(3 * 10 + 350 * 0.25 + 2 * 100)


def test_boxes_and_places_of_drawn_cards_are_those_of_random_draws():
    """Against 20,000 draws of 7 of 350 cards: boxes and places to open, within 2 %."""
    draws = np.random.Generator(np.random.PCG64(3))
    owner = np.repeat(np.arange(4), CARDS)
    boxes = places = 0
    for _ in range(20_000):
        hit = {int(box) for box in owner[draws.choice(350, 7, replace=False)]}
        boxes, places = boxes + len(hit), places + len({PLACES[box] for box in hit})
    work = SITE.of_cards([(7, CARDS)])
    mean = work.cost - 7
    assert mean == pytest.approx(10 * boxes / 20_000 + 100 * places / 20_000, rel=0.02)
    assert work.cards == 7


def test_a_contest_inside_of_another_costs_no_more_cards():
    """A district whose 20 of 200 cards are among the 35 of all costs what a tenth of its box does (arXiv 2012.03371)."""
    district = np.array([0, 0, 0, 200])
    assert SITE.of_cards([(35, CARDS)]).cards == 35
    assert SITE.of_cards([(35, CARDS), (20, district)]).cards == 35
    assert SITE.of_cards([(35, CARDS), (60, district)]).cards == 75


def test_boxes_drawn_by_chance_are_opened_once():
    chances = np.array([0.5, 0.25, 0, 0.25])
    work = SITE.of_boxes(2, chances, None)
    opened = [1 - (1 - chance) ** 2 for chance in chances]
    places = [1 - (1 - opened[0]) * (1 - opened[1]), opened[3]]
    assert work.cost == pytest.approx(10 * sum(opened) + 0.25 * float(opened @ CARDS) + 100 * sum(places))
    assert SITE.of_boxes(2, chances, 10).cards == round(
        sum(cards * (1 - (1 - chance * 10 / cards) ** 2) for chance, cards in zip(chances, CARDS, strict=True) if cards)
    )


def test_without_places_every_box_is_at_one_of_its_own():
    assert Site.of(CARDS, None, Costs()).everything().places == 3


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(AuditError, match="4 boxes need as many places, not 1"):
        Site.of(CARDS, ("harbour",), Costs())
    with pytest.raises(AuditError, match="nothing or more"):
        Costs(card=-1)
