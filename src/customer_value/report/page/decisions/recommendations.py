"""Recommendations beside popularity, and what is bought together."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

MOST_BUNDLES = 10
METRICS = {"recall": "found", "ndcg": "well placed"}


def pictures(tables: Tables) -> list[Picture]:
    """How well the chosen method did on the latest window, which did not choose it."""
    columns = ("split", "is_chosen", "metric_value", "popularity_value", "list_length")
    if not tables.has("recommendation_metrics", *columns):
        return []
    rows = tables.rows(
        """
        select
            recommendation_kind,
            method,
            metric,
            list_length,
            metric_value,
            popularity_value,
            customer_count
        from recommendation_metrics
        where split = 'report' and is_chosen and metric_value is not null
        order by recommendation_kind, metric desc, list_length desc
        """
    )
    longest = max((row[3] for row in rows), default=0)
    drawn = [row for row in rows if row[3] == longest and row[2] in METRICS]
    if not drawn:
        return []
    groups = [
        plots.Group(
            f"{METRICS[metric]}: {kind}",
            [
                plots.Bar(value, words.exact_percent(value)),
                plots.Bar(popularity or 0.0, words.exact_percent(popularity or 0), drawing.GREY),
            ],
        )
        for kind, _, metric, _, value, popularity, _ in drawn
    ]
    kind, _, _, _, value, popularity, _ = next(
        (row for row in drawn if row[2] == "recall"), drawn[0]
    )
    picture = Picture(
        f"Lists of {words.counted(longest, 'product')} held {words.exact_percent(value)} of what "
        f"customers then bought ({words.spoken(kind)}); the most popular ones, "
        f"{words.exact_percent(popularity or 0)}",
        "Bars of what recommendations found beside what the most popular products would have.",
        lambda space: plots.bars(space, groups),
        Table(
            "Recommendations as measured afterwards",
            ("kind", "method", "figure", "products", "chosen", "popularity", "customers"),
            [
                (
                    words.spoken(kind),
                    words.spoken(method),
                    metric,
                    words.count(length),
                    words.exact_percent(value),
                    words.NOT_KNOWN if popularity is None else words.exact_percent(popularity),
                    words.count(customers),
                )
                for kind, method, metric, length, value, popularity, customers in rows
            ],
            frozenset({1, 2}),
        ),
        "The method in use (blue) beside the most popular products (grey), in a window that came "
        "after all that either knew: the share of what customers bought that was in their lists "
        "(found), and the same with more weight on the first places (well placed).",
    )
    return [picture]


def bundles(tables: Tables) -> list[Table]:
    """The pairs of products with most at stake."""
    columns = ("bundle_rank", "size_adjusted_lift", "amount_at_stake", "one_sided_order_count")
    if not tables.has("bundle_candidates", *columns):
        return []
    rows = tables.rows(
        """
        select
            first_product_id,
            first_category,
            second_product_id,
            second_category,
            together_order_count,
            size_adjusted_lift,
            size_adjusted_lift_lower,
            one_sided_order_count,
            amount_at_stake
        from bundle_candidates
        order by bundle_rank
        limit $most
        """,
        most=MOST_BUNDLES,
    )
    if not rows:
        return []
    return [
        Table(
            "Products that go together, most at stake first: what it could bring at most",
            (
                "product",
                "with",
                "orders with both",
                "times as often as by chance",
                "at least",
                "orders with one",
                "at stake",
            ),
            [
                (
                    _product(first, first_category),
                    _product(second, second_category),
                    words.count(together),
                    f"{lift:.2f}",
                    f"{lower:.2f}",
                    words.count(one_sided),
                    words.cents(amount),
                )
                for (
                    first,
                    first_category,
                    second,
                    second_category,
                    together,
                    lift,
                    lower,
                    one_sided,
                    amount,
                ) in rows
            ],
            frozenset({1}),
        )
    ]


def _product(product: str, category: str | None) -> str:
    return f"{product} ({category})" if category else product
