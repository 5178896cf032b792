"""The cost calculator gives the article's cost table, cell by cell, and takes whatever is typed into it."""

from __future__ import annotations

from typing import Any

import pytest

from retrieval import QueryError
from retrieval.evaluation.cost import CostPlan, Holding, dollars, gigabytes

M, B = 10**6, 10**9
TABLE = [
    (384, 100 * M, "143.05 GB", "$543"),
    (384, 250 * M, "357.62 GB", "$1,358"),
    (384, B, "1,430.51 GB", "$5,435"),
    (768, 100 * M, "286.10 GB", "$1,087"),
    (768, 250 * M, "715.26 GB", "$2,717"),
    (768, B, "2,861.02 GB", "$10,871"),
    (1024, 100 * M, "381.46 GB", "$1,449"),
    (1024, 250 * M, "953.67 GB", "$3,623"),
    (1024, B, "3,814.69 GB", "$14,495"),
    (1536, 100 * M, "572.20 GB", "$2,174"),
    (1536, 250 * M, "1,430.51 GB", "$5,435"),
    (1536, B, "5,722.04 GB", "$21,743"),
    (3072, 100 * M, "1,144.40 GB", "$4,348"),
    (3072, 250 * M, "2,861.02 GB", "$10,871"),
    (3072, B, "11,444.09 GB", "$43,487"),
]
"""Float32, as printed. The article cuts its figures; one size it rounded."""
ROUNDED_BY_THE_ARTICLE = {"715.26 GB": "715.25 GB"}
QUANTIZED = [
    (1024, "int8", 238.41, 905),
    (1024, "binary", 29.80, 113.25),
    (768, "int8", 178.81, 679),
    (768, "binary", 22.35, 85),
    (384, "int8", 89.40, 339),
    (384, "binary", 11.18, 42),
]
"""At 250 million; the article cuts some of these and rounds others."""


def whole(**changes: Any) -> CostPlan:
    given = {"documents": 100, "dimensions": 8, "price": 1, "disk_price": 1, "overhead_percent": 0, **changes}
    return CostPlan.checked(**given)


@pytest.mark.parametrize(("dim", "documents", "size", "cost"), TABLE)
def test_the_articles_table_is_reproduced(dim: int, documents: int, size: str, cost: str) -> None:
    held = CostPlan(documents, dim).in_ram("float32")
    assert gigabytes(held.size_bytes) == ROUNDED_BY_THE_ARTICLE.get(size, size)
    assert dollars(held.monthly) == cost


def test_the_one_size_that_differs_from_the_article_is_rounded_there() -> None:
    assert round(CostPlan(250 * M, 768).bytes_at("float32") / 2**30, 2) == 715.26


@pytest.mark.parametrize(("dim", "precision", "size", "cost"), QUANTIZED)
def test_the_articles_quantized_figures_are_ours_to_the_printed_digit(
    dim: int, precision: str, size: float, cost: float
) -> None:
    held = CostPlan(250 * M, dim).in_ram(precision)
    assert abs(held.size_bytes / 2**30 - size) < 0.01
    assert abs(held.monthly - cost) < 1


def test_the_articles_float32_row_of_e5_is_its_own_figure_for_100_million() -> None:
    printed = ("286.10 GB", "$1,087")
    for documents, is_printed in ((100 * M, True), (250 * M, False)):
        held = CostPlan(documents, 768).in_ram("float32")
        assert ((gigabytes(held.size_bytes), dollars(held.monthly)) == printed) is is_printed


def test_bits_that_do_not_fill_a_byte_take_a_whole_one() -> None:
    assert CostPlan(10, 13).bytes_at("binary") == 20


def test_the_funnel_costs_bits_in_ram_and_int8_on_disk() -> None:
    ram, disk = CostPlan(2**30, 8, price=4, disk_price=0.5).funnel()
    assert (ram, disk) == (Holding(2**30, 4), Holding(8 * 2**30, 0.5))
    assert (ram.monthly, disk.monthly) == (4, 4)


def test_overhead_is_added_to_every_size() -> None:
    assert CostPlan(100, 8, overhead_percent=10).bytes_at("int8") == 880
    assert CostPlan(100, 8, overhead_percent=0).bytes_at("int8") == 800


@pytest.mark.parametrize("field", ["documents", "dimensions", "price", "disk_price", "overhead_percent"])
@pytest.mark.parametrize("value", [None, "", "x", -1, 1e30, float("nan"), float("inf"), True, [1], 10**400])
def test_hostile_values_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(QueryError, match=r"^(Documents|Dimensions|Price|Index overhead)"):
        whole(**{field: value})


@pytest.mark.parametrize("field", ["documents", "dimensions"])
@pytest.mark.parametrize("value", [0, 0.5, 1.5])
def test_counts_are_whole_numbers_from_one_on(field: str, value: float) -> None:
    with pytest.raises(QueryError, match="whole number"):
        whole(**{field: value})


def test_a_price_of_nothing_costs_nothing() -> None:
    assert dollars(whole(price=0).in_ram("float32").monthly) == "$0.00"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(2**30, "1.00 GB"), (28_506_768, "0.0265 GB"), (912_216_576, "0.84 GB"), (1, "0.000000000931 GB")],
)
def test_small_sizes_keep_three_digits(size_bytes: int, text: str) -> None:
    assert gigabytes(size_bytes) == text


@pytest.mark.parametrize(("monthly", "text"), [(0.001, "under $0.01"), (42.468, "$42.46"), (99.999, "$99.99")])
def test_small_amounts_have_cents(monthly: float, text: str) -> None:
    assert dollars(monthly) == text
