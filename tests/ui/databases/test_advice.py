"""The settings for each database: what it can do, with the measured numbers filled in, and nothing else."""

from __future__ import annotations

import ast
import json
import re

import pytest

from retrieval.evaluation.frontier.points import Frontier, Interval, Point, Rescoring
from retrieval.evaluation.frontier.recommend import Wish
from retrieval.evaluation.frontier.run import OVERSAMPLINGS
from retrieval.evaluation.frontier.schemes import SCHEMES
from retrieval.ui.frontier.databases.advice import DATABASES, advice_for
from retrieval.ui.frontier.databases.base import Database

METRICS = ("cosine", "inner product", "euclidean")


def points() -> tuple[Point, ...]:
    made = []
    for scheme in SCHEMES:
        for dim in (384, 192):
            made.append(Point(scheme.key, dim, "none", 1, Interval(0.6, 0.5, 0.7), 48, 0, 0, 5.0))
            for rescoring in ("int8", "float32"):
                kind: Rescoring = "int8" if rescoring == "int8" else "float32"
                made += [
                    Point(scheme.key, dim, kind, times, Interval(0.9 + times / 1200, 0.8, 1), 48, 384, 10 * times, 5.0)
                    for times in OVERSAMPLINGS
                ]
    return tuple(made)


FRONTIER = Frontier(10_000, 10_000, 100, True, 384, "cosine", 10, points(), (), (), 1.0)


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_a_database_gets_the_numbers_of_the_point(database: Database) -> None:
    advice = advice_for(database, FRONTIER, Wish(0.905))
    best = advice.recommendation.best
    assert best is not None
    assert best.point.dim == 384
    numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", advice.settings)}
    assert numbers & {best.point.oversampling, 10 * best.point.oversampling, 20 * best.point.oversampling}


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_schemes_below_the_target_are_not_recommended(database: Database) -> None:
    advice = advice_for(database, FRONTIER, Wish(0.9999))
    assert (advice.settings, advice.recommendation.best) == ("", None)


def test_elasticsearch_is_never_asked_for_more_than_it_oversamples() -> None:
    (elasticsearch,) = [database for database in DATABASES if database.name == "Elasticsearch"]
    assert advice_for(elasticsearch, FRONTIER, Wish(0.95)).settings == ""


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_settings_are_well_formed_for_every_metric_and_scheme(database: Database, metric: str) -> None:
    for scheme in database.writers:
        for point in (p for p in points() if p.scheme == scheme and p.dim == 384 and database.offers(p)):
            text = database.settings(point, metric, 10)
            if text.startswith(("import ", "from ", "# ")):
                ast.parse(text)
            if text.startswith("PUT "):
                bodies = re.findall(r"^\{.*?^\}", text, re.MULTILINE | re.DOTALL)
                assert [json.loads(body) for body in bodies]
            assert "None" not in text


def test_every_database_links_to_its_own_page() -> None:
    assert all(database.link.startswith("https://") and database.version for database in DATABASES)
