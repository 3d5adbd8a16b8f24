"""The report for people, over small databases made by hand."""

from __future__ import annotations

import base64
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pytest
import yaml

from conftest import PROJECT
from customer_value import cli
from customer_value.report import reading
from customer_value.report.page import writing
from customer_value.report.page.blocks import Section
from customer_value.report.page.sections import SECTIONS
from customer_value.report.page.tables import Tables

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&$x$"

# Names that a shop chooses; {name} is where a hostile one goes.
SHOP = """
create schema customer_value;
set schema = 'customer_value';
create table orders_cleaned as
    select
        'o' || n as order_id,
        'customer-' || n % 40 as customer_id,
        date '2025-07-01' + cast(n * 3 % 180 as integer) as order_date,
        '{currency}' as currency
    from range(120) as numbers(n);
create table customers as
    select
        'customer-' || n as customer_id, 1 + n % 5 as order_count, (n * 10.5)::decimal(18, 2) as net_amount,
        date '2026-01-01' as as_of_date
    from range(40) as numbers(n);
create table customer_rfm as
    select customer_id, case when n % 2 = 0 then '{name}' else 'at_risk' end as rfm_segment, n as recency_days,
        (n * 10.5)::decimal(18, 2) as net_amount
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table cohort_retention as
    select
        cast(date '2025-07-01' + to_months(cohort) as date) as cohort_month,
        number as month_number,
        cast(date '2025-07-01' + to_months(cohort + number) as date) as order_month,
        20::bigint as cohort_size,
        case when number = 0 then 20 else 8 - number end::bigint as active_customers,
        case when number = 0 then 1.0 else (8 - number) / 20.0 end::double as retention_rate
    from range(5) as a(cohort), range(6) as b(number)
    where cohort + number < 6;
create table customer_churn as
    select
        customer_id, 0.02 + n / 42.0 as churn_probability,
        case when n < 13 then 'low' when n < 27 then 'medium' else 'high' end as churn_risk_band,
        n >= 20 as is_churned_prediction, 90 as churn_window_days
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table customer_cltv as
    select
        customer_id, 100::decimal(18, 2) as historic_value,
        (2000.0 / (n + 1))::decimal(38, 6) as predicted_value, 'churn-1+spend-1' as model_version
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table customer_tiers as
    select
        customer_id,
        case when n < 4 then '{name}' when n < 20 then 'regular' else 'potential' end as tier,
        (100 - 2.5 * n)::double as cltv_percentile,
        (2000.0 / (n + 1))::decimal(38, 6) as predicted_value, 'the-run' as run_id
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table prediction_history as
    select
        tiers.customer_id, date_of.as_of_date, customer_churn.churn_probability, 90 as churn_window_days,
        predicted_value * date_of.factor as predicted_value, tier,
        cast(date_of.as_of_date + interval 365 day as date) as horizon_end_date,
        'churn-' || date_of.factor as model_version
    from customer_tiers as tiers
    inner join customer_churn using (customer_id),
    (values (date '2025-10-01', 2), (date '2026-01-01', 1)) as date_of(as_of_date, factor);
create table tier_movements as
    select date '2025-10-01' as as_of_date, null::date as previous_date, 'none' as from_tier, tier as to_tier,
        count(*) as customer_count, 0::decimal(38, 6) as previous_predicted_value,
        sum(predicted_value) * 2 as predicted_value
    from customer_tiers group by tier
    union all
    select date '2026-01-01', date '2025-10-01', tier, tier, count(*), sum(predicted_value) * 2, sum(predicted_value)
    from customer_tiers group by tier
    union all
    select date '2026-01-01', date '2025-10-01', '{name}', 'regular', 3, 900, 400;
create table revenue_months as
    select cast(date '2025-07-01' + to_months(n) as date) as revenue_month, (1000 + 100 * n)::decimal(18, 2) as net_amount,
        20::bigint as order_count
    from range(6) as numbers(n);
create table revenue_forecast as
    select n + 1 as period_number, cast(date '2026-01-01' + to_months(n) as date) as period_start,
        500::decimal(18, 2) as forecast_net_amount, 400::decimal(18, 2) as forecast_net_amount_lower,
        700::decimal(18, 2) as forecast_net_amount_upper
    from range(3) as numbers(n);
create table model_registry as
    select * from (values
        ('churn', 'churn-1', date '2026-01-01', 1000, 1), ('spend', 'spend-1', date '2026-01-01', 1000, 1)
    ) as models(model_name, model_version, trained_as_of_date, training_rows, registration_number);
create table model_metrics as
    select *, 'out_of_time' as split, date '2025-10-01' as split_as_of_date, 30 as customer_count from (values
        ('churn', 'churn-1', '{name}', false, true, 'roc_auc', 0.81, 0.7),
        ('churn', 'churn-1', 'own_rate', true, false, 'roc_auc', 0.7, 0.7),
        ('churn', 'churn-1', 'logistic', false, true, 'calibration_error', 0.02, 0.1),
        ('spend', 'spend-1', 'gamma', false, true, 'normalized_gini', 0.6, 0.65),
        ('spend', 'spend-1', 'gamma', false, true, 'total_bias', 0.9, 1.2)
    ) as metrics(model_name, model_version, candidate, is_naive, is_trained, metric, value, baseline_value);
create table interval_coverage as
    select 'all' as tier, 0.8 as interval_level, 0.84 as covered_rate, 30 as customer_count;
create table model_health as
    select * from (values
        (date '2026-01-01', 'churn', 'ok', 'No threshold is passed.'),
        (date '2026-01-01', 'spend', 'retrain', 'It was trained 181 days ago. {name}')
    ) as health(as_of_date, model_name, advice, reason);
create table data_quality as
    select * from (values
        (date '2026-01-01', 'orders', 'rejected_rate', 'all', 0.9, 0.05, 0.5, 'error'),
        (date '2026-01-01', 'orders', 'freshness_days', 'all', 1, 7, null, 'pass'),
        (date '2026-01-01', 'orders', 'null_rate', '{name}', null, 0.1, null, 'pass'),
        (date '2026-01-01', 'orders', 'accepted_row_count', 'all', 120, null, null, 'pass'),
        (date '2025-10-01', 'orders', 'accepted_row_count', 'all', 100, null, null, 'pass'),
        (date '2026-01-01', 'orders', 'rejected_row_count', '{name}', 7, null, null, 'pass')
    ) as quality(as_of_date, input_name, metric, subject, value, warn_threshold, error_threshold, severity);
create table refresh_log as
    select
        'the-run' as run_id, 'refresh' as action, timestamp '2026-01-01 03:00' + to_days(n) as started_at,
        date '2026-01-01' as as_of_date, 90 as test_pass_count, 1 as test_warn_count, n as test_fail_count,
        n = 0 as is_published, case when n > 0 then 'A test failed: {name}' end as failure_reason
    from range(2) as numbers(n);
create table model_fairness as
    select date '2026-01-01' as as_of_date, 'region' as group_name, '{name}' as group_value, 'churn' as target,
        'selection_rate' as metric, 0.9 as metric_value, 0.5 as reference_value, 'unequal' as verdict,
        20 as customer_count;
"""  # noqa: E501 - a table a line

# The decision tables, with the columns that the page reads.
DECISIONS = """
create table customer_lifecycle as
    select customer_id, case when n < 2 then 'prospect' when n < 11 then 'active' when n < 25 then 'at_risk'
        else 'lapsed' end as lifecycle_stage
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table lifecycle_movements as
    select *, 2 * customer_count as order_count, (10 * customer_count)::decimal(18, 2) as net_amount from (values
        (date '2024-11-01', 'active', 'lapsed', 900),
        (date '2024-12-01', 'none', 'active', 30),
        (date '2025-06-01', 'active', 'active', 25),
        (date '2025-12-01', 'active', 'at_risk', 7),
        (date '2025-11-01', 'active', 'at_risk', 5)
    ) as moves(movement_month, from_stage, to_stage, customer_count)
    union all
    select cast(date '2025-01-01' + to_months(n) as date), 'lapsed', 'lapsed', 1, 0, 0 from range(12) as numbers(n);
create table path_funnels as
    select 'all' as segment_kind, * exclude (rate), 10 as customer_count, rate::double as conversion_from_previous_rate,
        (rate - 0.01)::double as conversion_lower_rate, (rate + 0.01)::double as conversion_upper_rate,
        session_count / 1000 as conversion_from_start_rate from (values
        (0, 'session', 1000, null), (1, 'view', 800, 0.8), (2, 'cart_add', 200, 0.25), (3, 'purchase', 120, 0.6)
    ) as funnel(step_number, step, session_count, rate);
create table path_steps as
    select * replace (removal_effect::double as removal_effect), 500 as path_count, 0.3 as conversion_with_rate, 0.1 as conversion_without_rate,
        0.2 as exit_rate, -0.1 as avoidance_effect from (values ('(purchase)', 1.0), ('{name}', 0.62), ('view', 0.41), ('help', 0.0)
    ) as steps(path_event, removal_effect);
create table cart_conversion as
    select case when n < 30 then 'left' when n < 40 then 'bought' else 'open' end as cart_status,
        case when n <> 1 then 20::decimal(18, 2) end as cart_amount,
        case when n >= 40 then 0.25 end::double as purchase_probability
    from range(48) as numbers(n);
create table category_demand as
    select case when c = 0 then '{name}' else 'category ' || c end as category, w + 1 as period_number,
        cast(date '2026-01-01' + cast(7 * w as integer) as date) as period_start_date,
        (100 - c)::decimal(38, 6) as expected_amount, (70 - c)::decimal(38, 6) as amount_lower,
        (140 - c)::decimal(38, 6) as amount_upper, 80::decimal(38, 6) as amount_recent_mean, 0.8 as interval_level
    from range(8) as a(c), range(13) as b(w);
create table action_plan as
    select customer_id, case when n < 10 then '{name}' else 'none' end as action,
        case when n < 10 then 1 else 0 end::decimal(18, 2) as cost_amount, 4::decimal(38, 6) as expected_margin_change,
        6::decimal(38, 6) as expected_value_change, 5::decimal(38, 6) as expected_net_gain,
        case when n < 10 then 'stated_assumption' end as effect_source
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table budget_frontier as
    select w / 4 as long_term_weight, (2 * b)::decimal(18, 2) as budget_amount, b as acted_customer_count,
        (2 * b)::decimal(18, 2) as cost_amount, (10 * sqrt(b))::decimal(38, 6) as expected_margin_change,
        (10 * sqrt(b))::decimal(38, 6) as expected_net_gain
    from range(5) as a(w), range(1, 11) as c(b);
create table campaign_uplift as
    select * replace (effect::double as effect, effect_lower::double as effect_lower,
        effect_upper::double as effect_upper), 'all' as segment_kind, 500 as treated_customer_count, 400 as compared_customer_count from (values
        ('{name}', 'mail', 'conversion', 'control_group', true, 0.021, 0.01, 0.032, 'raises'),
        ('spring', '{name}', 'conversion', 'observational', false, 0.3, 0.2, 0.4, 'higher_among_contacted'),
        ('summer', 'mail', 'conversion', 'control_group', true, null, null, null, 'too_small'),
        ('spring', 'mail', 'net_amount', 'observational', false, 3.5, 1.0, 6.0, 'higher_among_contacted')
    ) as uplift(campaign_id, treatment, metric, evidence, is_randomised, effect, effect_lower, effect_upper, verdict);
create table recommendation_metrics as
    select * replace (metric_value::double as metric_value, popularity_value::double as popularity_value),
        'report' as split, 'user_based' as method, 10 as list_length, 900 as customer_count from (values
        ('new', 'recall', true, 0.12, 0.08), ('new', 'ndcg', true, 0.1, 0.05), ('new', 'recall', false, 0.99, 0.08)
    ) as metrics(recommendation_kind, metric, is_chosen, metric_value, popularity_value);
create table bundle_candidates as
    select 'p' || n as first_product_id, '{name}' as first_category, 'q' || n as second_product_id,
        null::varchar as second_category, n as bundle_rank, 63 as together_order_count, 2.3 as size_adjusted_lift,
        1.2 as size_adjusted_lift_lower, 900 as one_sided_order_count, (5000 - n)::decimal(18, 2) as amount_at_stake
    from range(1, 13) as numbers(n);
create table order_anomalies as
    select 'o' || n as order_id, 'customer-' || n as customer_id, date '2026-01-01' as as_of_date,
        case when n % 3 = 0 then 'burst' else 'refunds' end as anomaly_kind,
        date '2026-01-01' - cast(1 + n * 10 as integer) as order_date
    from range(9) as numbers(n);
create table customer_satisfaction as
    select customer_id, case when n < 5 then 'dissatisfied' when n < 20 then 'satisfied' else 'unknown' end
        as satisfaction_level
    from (select customer_id, cast(split_part(customer_id, '-', 2) as integer) as n from customers);
create table satisfaction_retention as
    select * replace (retention_rate::double as retention_rate, retention_rate_lower::double as retention_rate_lower,
        retention_rate_upper::double as retention_rate_upper), date '2025-10-01' as observed_from_date, date '2026-01-01' as observed_to_date from (values
        ('dissatisfied', 50, 10, 0.2, 0.11, 0.33, 0.5, 'lower'), ('satisfied', 80, 60, 0.75, 0.65, 0.83, 0.2, 'higher')
    ) as levels(satisfaction_level, customer_count, retained_customer_count, retention_rate, retention_rate_lower,
        retention_rate_upper, compared_retention_rate, verdict);
"""  # noqa: E501 - a table a line
SHOP += DECISIONS


def script(name: str = "vip", currency: str = "EUR") -> str:
    return SHOP.replace("{name}", name.replace("'", "''")).replace("{currency}", currency)


def made(folder: Path, *statements: str, name: str = "vip", currency: str = "EUR") -> Path:
    """The shop's database, and what the statements change in it."""
    path = folder / "customer_value.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.begin()
        for statement in (script(name, currency), *statements):
            connection.execute(statement)
        connection.commit()
    return path


class Page(HTMLParser):
    """What a browser would make of the page: its elements, and the text between them."""

    VOID = frozenset({"meta", "link", "img", "source"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], "not all elements are closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += f" {data.strip()}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def pictures(self) -> list[ET.Element]:
        sources = [image["src"] for image in self.all("img")]
        sources += [source["srcset"] for source in self.all("source")]
        return [ET.fromstring(base64.b64decode((url or "").split(",")[1])) for url in sources]  # noqa: S314


def page(database: Path) -> Page:
    return Page(writing.render(database))


def told(tables: Tables) -> list[Section]:
    return [found for section in SECTIONS if (found := section(tables)) is not None]


def sections(database: Path) -> list[Section]:
    with reading.connected(database, needed=writing.NEEDED_TABLES) as connection:
        return told(Tables(connection))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def shop_html(shop: Path) -> str:
    return writing.render(shop)


@pytest.fixture(scope="module")
def shop_page(shop_html: str) -> Page:
    return Page(shop_html)


def test_every_section_is_there(shop: Path, shop_page: Page) -> None:
    keys = [section.key for section in sections(shop)]
    assert len(keys) == len(SECTIONS)
    assert [section["id"] for section in shop_page.all("section")] == keys
    linked = {link["href"] for link in shop_page.all("a")}
    assert {f"#{key}" for key in keys} <= linked


def test_the_exposure_names_every_table_that_the_report_reads() -> None:
    package = Path(reading.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    read = {
        table
        for path in (PROJECT / "models" / "marts").rglob("*.sql")
        if re.search(rf'(from|join) {(table := path.stem)}\b|has\("{table}"', source)
    }
    exposures = yaml.safe_load((PROJECT / "models/semantic/_semantic__exposures.yml").read_text())
    (report,) = (
        found for found in exposures["exposures"] if found["name"] == "customer_value_report"
    )
    assert len(read) > 12
    assert read <= {re.findall(r"'(\w+)'\)", name)[0] for name in report["depends_on"]}


def test_figures_and_findings_are_those_of_the_tables(shop_page: Page) -> None:
    text = " ".join(shop_page.text.split())
    for said in (
        "As of 1 January 2026",
        "Customers 40",
        "8,557 EUR",
        # Predicted value has halved since the date before.
        "\u22128,557 EUR",
        "Revenue of Dec 2025 1,500 EUR +7% on Nov 2025",
        "Mend 1 figure of data quality beyond its threshold",
        "Train the spend model anew",
        "It was trained 181 days ago.",
        "Ask why 3 customers fell from vip",
        "0 customers rose to a better tier and 3 fell",
        "The models were trained anew in between",
        "orders accepted 100 120 +20",
        "10% of customers (vip) hold 49% of predicted value",
        "35% of customers order again in the month after their first order",
        "the model gives the higher risk to the one who left 81 times in 100",
        "came to 90% of what they then spent, 10% less",
        "of 30 customers held out it held 84%",
        "1 of 2 models rank customers better than every simple rule",
        "1 figure of 2 is beyond a threshold",
        "1 figure of a group is further from all customers\u2019 than its threshold",
        "today\u2019s customers are expected to bring 1,500 EUR more",
        "1 of the latest 2 refreshes was not published",
        "Run the-run",
        # Of 38 who have ordered 29 are silent.
        "76% of customers who have ordered are silent",
        # Of the latest twelve months: not the 900 of the year before.
        "The commonest move from Jan 2025 to Dec 2025: active to at risk, 12 times",
        "The narrowest step is cart add: 25% of the sessions that reach view go on to it",
        "Without vip, 62% of purchases would be lost",
        # One of the 30 that were left has no known amount.
        "75% of carts that ended were not bought, with 580 EUR in them",
        "Of 8 open carts, 2 are expected to be bought",
        "vip is expected to sell 1,300 EUR in 13 weeks, 25% more than of late",
        "of the largest 6 of 8 categories",
        "1 January 2026 100 (70 to 140)",
        "The plan acts on 10 customers: it spends 10 EUR and is expected to bring 50 EUR more",
        "The gains of 10 actions rest on an effect that is assumed, not measured",
        "A budget of 14 EUR brings 84% of what 20 EUR would, at a weight of 0.5",
        "1 of 1 treatment with a control group changed who ordered by more than chance",
        "none, similar customers beside",
        "No treatment had a control group drawn at random: differences in net amount per customer",
        "Lists of 10 products held 12.0% of what customers then bought (new)",
        "p1 (vip) q1 63 2.30 1.20 900 4,999.00",
        "9 orders stand out, 3 of the last 28 days",
        "25% of the 20 customers of whom something is known are dissatisfied",
        "Dissatisfied customers came back less often than others",
        "dissatisfied 50 10 20.0% 11.0% to 33.0% 50% lower",
    ):
        assert said in text, said


def test_every_picture_is_drawn_and_told_and_has_its_numbers(shop_page: Page) -> None:
    images = shop_page.all("img")
    assert len(images) >= 10
    assert all(len(image["alt"] or "") > 20 for image in images)
    # A heading, a wide and a narrow one, and a table for each.
    assert len(shop_page.all("figure")) == len(images) == len(shop_page.all("source"))
    assert len(shop_page.all("details")) == len(images)
    for picture in shop_page.pictures:
        drawn = [part.tag.split("}")[1] for part in picture.iter()]
        assert drawn.count("text") >= 2
        assert "path" in drawn


def test_headings_go_down_one_step_at_a_time(shop_page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in shop_page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in shop_page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert shop_page.all("html") == [{"lang": "en"}]


def test_the_page_is_whole_without_network_or_script(shop_page: Page) -> None:
    assert shop_page.all("script") == []
    policy = next(m for m in shop_page.all("meta") if m.get("http-equiv"))["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for _, attributes in shop_page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "srcset", "href"):
            assert re.match("data:|#", attributes.get(name) or "#")
    for picture in shop_page.pictures:
        for part in picture.iter():
            assert not part.tag.endswith("script")
            assert all(value.startswith("#") for name, value in part.items() if "href" in name)


def test_a_hostile_name_is_text(tmp_path: Path) -> None:
    found = page(made(tmp_path, name=HOSTILE, currency="<b>&"))
    assert HOSTILE in found.text
    assert {
        image["src"] for image in found.all("img") if not (image["src"] or "").startswith("data:")
    } == set()
    assert found.all("script") == found.all("b") == []
    # It is drawn too, as letters, and parses as XML at all.
    assert any(
        "</scr" in (part.text or "") for picture in found.pictures for part in picture.iter()
    )


def test_no_customer_is_named(shop_html: str, shop_page: Page) -> None:
    everything = shop_page.text + "".join(
        part.text or "" for picture in shop_page.pictures for part in picture.iter()
    )
    assert "customer-1" not in everything
    assert "customer-1" not in shop_html


@pytest.mark.parametrize("change", ["delete from", "drop table"])
def test_a_table_that_is_empty_or_not_there_takes_no_other_with_it(change: str) -> None:
    """An older build lacks some: each is emptied or dropped alone."""
    lost = {}
    with duckdb.connect() as connection:
        connection.execute(script())
        for table in set(re.findall(r"create table (\w+)", SHOP)) - {"customers"}:
            connection.begin()
            connection.execute(f"{change} {table}")
            lost[table] = len(SECTIONS) - len(told(Tables(connection)))
            connection.rollback()
        assert len(told(Tables(connection))) == len(SECTIONS)
    assert max(lost.values()) <= 3
    assert lost["customer_rfm"] == lost["cohort_retention"] == lost["revenue_months"] == 1


@pytest.mark.parametrize("change", ["delete from", "drop table"])
def test_a_decision_table_that_is_empty_or_not_there_has_no_picture(change: str) -> None:
    """Nor has a section without any: no empty frames."""

    def shown(connection: duckdb.DuckDBPyConnection) -> int:
        return sum(len(s.pictures) + len(s.tables) for s in told(Tables(connection)))

    decisions = re.findall(r"create table (\w+)", DECISIONS)
    with duckdb.connect() as connection:
        connection.execute(script())
        all_of_them = shown(connection)
        lost = 0
        for table in decisions:
            connection.begin()
            connection.execute(f"{change} {table}")
            lost += (alone := all_of_them - shown(connection))
            assert alone >= 1, table
            connection.rollback()
        for table in decisions:
            connection.execute(f"{change} {table}")
        assert shown(connection) == all_of_them - lost
        gone = {"what-customers-do", "actions-and-effects", "to-look-into"}
        assert not gone & {section.key for section in told(Tables(connection))}


def test_a_shop_without_orders_has_a_page(tmp_path: Path) -> None:
    tables = re.findall(r"create table (\w+)", SHOP)
    found = page(made(tmp_path, *(f"delete from {table}" for table in tables)))
    assert "There is no clean order yet" in found.text
    assert "nan" not in found.text
    assert "None" not in found.text


def test_one_customer_is_enough(tmp_path: Path) -> None:
    kept = [
        f"delete from {table} where customer_id <> 'customer-0'"
        for table in (
            "customers",
            "customer_rfm",
            "customer_churn",
            "customer_cltv",
            "customer_tiers",
            "prediction_history",
            "orders_cleaned",
        )
    ]
    found = page(made(tmp_path, *kept, "delete from tier_movements"))
    assert "All customers are in one tier, vip" in found.text
    assert "1 customers" not in found.text


def test_value_below_nothing_has_no_shares(tmp_path: Path) -> None:
    losses = [
        f"update {table} set predicted_value = -predicted_value"
        for table in ("customer_tiers", "customer_cltv", "tier_movements", "prediction_history")
    ]
    found = page(made(tmp_path, *losses, "update customer_rfm set net_amount = -net_amount"))
    assert "Tiers by size and predicted value" in found.text


def test_several_currencies_are_not_named_as_one(tmp_path: Path) -> None:
    other = "update orders_cleaned set currency = 'USD' where order_id = 'o1'"
    tiles = sections(made(tmp_path, other))[0].tiles
    assert not any("EUR" in f"{tile.figure} {tile.note}" for tile in tiles)


def test_the_command_writes_the_page_and_the_same_bytes_each_time(
    shop: Path, shop_html: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "report.html"
    arguments: list[Any] = ["report", "--database", shop, "--html", path]
    assert cli.main([str(argument) for argument in arguments]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"wrote {path}\n")
    assert path.read_text(encoding="utf-8") == shop_html
    assert [found.name for found in path.parent.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_is_told_in_a_sentence(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", "--database", str(shop), "--html", str(shop / "report.html")]
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert "The report can't be written to" in error
    assert len(error.splitlines()) == 1


def test_a_page_without_matplotlib_says_how_to_install_it(
    shop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in list(sys.modules):
        if name.startswith("customer_value.report.page"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("customer_value.report.page")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    arguments = ["report", "--database", str(shop), "--html", str(tmp_path / "report.html")]
    assert cli.main(arguments) == 2
    assert "pip install 'dbt-customer-value[report]'" in capsys.readouterr().err
