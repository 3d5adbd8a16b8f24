"""Campaigns: published and planted effects are found, chance is none, and no cause is claimed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from conftest import SHARED_DATA, Build, BuildError, Warehouse, orders_input, write_orders
from customer_value import campaigns

HILLSTROM = SHARED_DATA / "hillstrom.parquet"
SELECT = ("+campaign_performance", "+campaign_uplift")
Floats = NDArray[np.float64]
# What only a control group allows to say.
CAUSAL = re.compile(
    r"\b(effect|affect|cause|because|lift|uplift|raise|due to|led to|impact|thanks)",
    re.IGNORECASE,
)


def arms(
    outcome: Floats,
    before: Floats,
    arm: Floats,
    stratum: Any = "all",
    segment: Any = "all",
    *,
    draw: Any = 0,
) -> pd.DataFrame:
    """The sums of int_customer_value__campaign_arms, of one metric.

    Args:
        outcome: of each customer.
        before: what is known of each before.
        arm: 0 for those left alone, else the number of the treatment.
        stratum: of each.
        segment: of each; all of them are of `all` too.
        draw: which campaign each is of.
    """
    customers = pd.DataFrame(
        {
            "campaign_id": draw,
            "treatment": np.where(arm > 0, np.char.mod("treatment %d", arm), ""),
            "arm": np.where(arm > 0, "treated", "control"),
            "stratum": stratum,
            "segment": segment,
            "outcome_sum": outcome,
            "outcome_square_sum": outcome**2,
            "before_sum": before,
            "before_square_sum": before**2,
            "product_sum": outcome * before,
            "customer_count": 1,
        }
    )
    parts = [customers.assign(segment_kind="all", segment="all")]
    if not isinstance(segment, str):
        parts.append(customers.assign(segment_kind="spend_before"))
    keys = ["campaign_id", "treatment", "arm", "segment_kind", "segment", "stratum"]
    summed = pd.concat(parts).groupby(keys)[["customer_count", *campaigns.SUMS]].sum()
    return summed.reset_index().assign(metric="net_amount")


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    with duckdb.connect() as connection:
        connection.register("arms", frame)
        found: pd.DataFrame = campaigns.measure(connection.sql("from arms"))
    return found


def draws(count: int, customer_count: int) -> NDArray[np.int64]:
    """The campaign of each customer, of so many campaigns."""
    return np.repeat(np.arange(count), customer_count)


def spending(chance: np.random.Generator, before: Floats) -> Floats:
    """As shops see it: most spend nothing, a few much, who spent much before more often."""
    buys = chance.random(len(before)) < 0.1 + 0.2 * (before > 20)
    return np.where(buys, before * chance.lognormal(0, 0.7, len(before)), 0.0)


def test_a_null_experiment_is_taken_for_an_effect_as_seldom_as_is_said() -> None:
    chance = np.random.default_rng(1)
    draw = draws(1000, 600)
    before = chance.lognormal(3, 0.8, len(draw))
    arm = chance.integers(0, 2, len(draw)).astype(float)
    found = measured(arms(spending(chance, before), before, arm, draw=draw))
    # Chance alone seldom makes arms unlike.
    is_random = found["evidence"] == "control_group"
    assert (~is_random).sum() <= 6
    random = found[is_random]
    is_found = random["verdict"] != "no_clear_effect"
    # 5%, give or take what the draws leave to chance.
    assert stats.binomtest(int(is_found.sum()), len(random), 0.05).pvalue > 0.001
    is_held = (random["effect_lower"] <= 0) & (random["effect_upper"] >= 0)
    assert (is_held == ~is_found).all()


def test_many_segments_and_treatments_do_not_make_an_effect_of_chance() -> None:
    chance = np.random.default_rng(2)
    draw = draws(200, 1200)
    before = chance.lognormal(3, 0.8, len(draw))
    arm = chance.integers(0, 3, len(draw)).astype(float)
    segment = chance.choice(["low", "middle", "high"], len(draw))
    found = measured(arms(spending(chance, before), before, arm, "all", segment, draw=draw))
    of_segments = found[found["segment_kind"] == "spend_before"]
    assert len(of_segments) == 6 * 200
    by_draw = of_segments.groupby("campaign_id")
    held_back = by_draw["adjusted_p_value"].min() < 0.05
    plain = by_draw["p_value"].min() < 0.05
    assert stats.binomtest(int(held_back.sum()), 200, 0.05, "greater").pvalue > 0.001
    # Six looks at chance, each of one in twenty.
    assert plain.mean() > 0.15


def test_a_planted_effect_is_within_its_interval_as_often_as_is_said() -> None:
    chance = np.random.default_rng(3)
    draw = draws(500, 600)
    before = chance.lognormal(3, 0.8, len(draw))
    arm = chance.integers(0, 2, len(draw)).astype(float)
    outcome = 0.5 * before + chance.normal(0, 10, len(draw)) + 4 * arm
    found = measured(arms(outcome, before, arm, draw=draw))
    is_held = (found["effect_lower"] <= 4) & (found["effect_upper"] >= 4)
    assert stats.binomtest(int(is_held.sum()), 500, 0.95).pvalue > 0.001
    blind = measured(arms(outcome, 0 * before, arm, draw=draw))
    widths = [(frame["effect_upper"] - frame["effect_lower"]).mean() for frame in (found, blind)]
    correlation = np.corrcoef(outcome - 4 * arm, before)[0, 1]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(1 - correlation**2), rel=0.03)


def test_without_what_was_before_it_is_welch_s_test() -> None:
    chance = np.random.default_rng(4)
    arm = np.repeat([0.0, 1.0], [80, 50])
    outcome = chance.normal(10 + arm, 2 + arm)
    found = measured(arms(outcome, np.zeros(130), arm)).iloc[0]
    welch = stats.ttest_ind(outcome[arm == 1], outcome[arm == 0], equal_var=False)
    ends = welch.confidence_interval()
    assert found["p_value"] == pytest.approx(welch.pvalue)
    assert (found["effect_lower"], found["effect_upper"]) == pytest.approx((ends.low, ends.high))


def test_effects_of_segments_are_nearer_to_the_truth_once_shrunk() -> None:
    chance = np.random.default_rng(5)
    draw = draws(60, 900)
    arm = chance.integers(0, 2, len(draw)).astype(float)
    segment = chance.choice(["low", "middle", "high"], len(draw))
    found = measured(
        arms(chance.normal(2 * arm, 10), np.zeros(len(draw)), arm, "all", segment, draw=draw)
    ).query("segment_kind == 'spend_before'")
    errors = [((found[name] - 2) ** 2).mean() for name in ("effect", "shrunk_effect")]
    assert errors[1] < 0.7 * errors[0]


def observed(count: int, *, is_told: bool) -> pd.DataFrame:
    """Campaigns without any effect, sent more often to those who spend more."""
    chance = np.random.default_rng(6)
    draw = draws(count, 3000)
    before = chance.lognormal(3, 0.8, len(draw))
    rank = stats.norm.cdf((np.log(before) - 3) / 0.8)
    arm = (chance.random(len(draw)) < 0.1 + 0.6 * rank).astype(float)
    stratum = np.char.mod("%d", np.floor(8 * rank)) if is_told else "all"
    known = before if is_told else 0 * before
    frame = arms(spending(chance, before), known, arm, stratum, draw=draw)
    return measured(frame.replace({"arm": {"control": "comparison"}}))


def test_what_is_known_of_customers_before_is_adjusted_for() -> None:
    assert set(observed(20, is_told=False)["verdict"]) == {"higher_among_contacted"}
    found = observed(100, is_told=True)["verdict"] != "no_clear_difference"
    assert stats.binomtest(int(found.sum()), 100, 0.05, "greater").pvalue > 0.001


def test_a_control_group_that_was_chosen_is_not_taken_for_a_random_one() -> None:
    chance = np.random.default_rng(7)
    before = chance.lognormal(3, 0.8, 2000)
    arm = (chance.random(2000) < 0.2 + 0.6 * (before > 20)).astype(float)
    found = measured(arms(before, before, arm)).iloc[0]
    assert found["evidence"] == "control_group_unlike"
    assert found["verdict"] not in {"raises", "lowers", "no_clear_effect"}
    assert CAUSAL.search(found["finding"]) is None


def test_a_chosen_control_group_is_told_of_in_words_that_claim_nothing() -> None:
    chance = np.random.default_rng(8)
    before = chance.lognormal(3, 0.8, 2000)
    arm = (chance.random(2000) < 0.2 + 0.6 * (before > 20)).astype(float)
    found = measured(arms(spending(chance, before) + 9 * arm, before, arm)).iloc[0]
    assert found["verdict"] == "higher_among_contacted"
    assert found["finding"].startswith("Observational. net amount per customer: ")
    assert CAUSAL.search(found["finding"]) is None


def test_too_few_and_nobody_to_compare_with_say_so() -> None:
    arm = np.repeat([0.0, 1.0], [29, 100])
    few = measured(arms(np.arange(129.0), np.zeros(129), arm)).iloc[0]
    assert few["verdict"] == "too_small"
    assert np.isnan(few["effect"])
    alone = measured(arms(np.arange(50.0), np.zeros(50), np.ones(50))).iloc[0]
    assert (alone["evidence"], alone["verdict"]) == ("nothing_to_compare", "nothing_to_compare")
    nothing = measured(arms(np.zeros(0), np.zeros(0), np.zeros(0)))
    assert nothing.empty
    assert list(nothing) == list(campaigns.COLUMNS)


CONTACTS = """
    copy (
        select
            row_number() over () as customer_id,
            'hillstrom' as campaign_id,
            timestamp '2008-04-20' as contacted_at,
            treatment,
            case when treatment = 'No E-Mail' then 0 else 0.1 end as cost,
            case when visit = 1 then timestamp '2008-04-25' end as responded_at,
            recency, history, conversion, spend
        from '{source}'
    ) to '{path}'
"""
ORDERS = """
    select
        'before-' || customer_id as order_id, customer_id,
        timestamp '2008-04-20' - to_days(cast(30 * recency - 15 as integer)) as ordered_at,
        cast(history as decimal(18, 2)) as amount
    from '{path}'
    union all
    select
        'after-' || customer_id, customer_id, timestamp '2008-05-01', cast(spend as decimal(18, 2))
    from '{path}' where conversion = 1
"""


@pytest.fixture(scope="module")
def hillstrom(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The e-mail test as an order log: what was bought in the year before as one order each."""
    if not HILLSTROM.exists():
        pytest.skip(f"{HILLSTROM} is absent")
    return built(
        build,
        tmp_path_factory,
        contacts=CONTACTS.format(source=HILLSTROM, path="{path}"),
        orders=ORDERS,
        variables={
            "control_treatments": ["no e-mail"],
            "campaign_window_days": 14,
            "as_of_date": "2008-05-04",
        },
    )


def built(
    build: Build,
    tmp_path_factory: pytest.TempPathFactory,
    contacts: str,
    orders: str,
    variables: dict[str, object],
) -> Warehouse:
    """Build the campaigns of contacts and orders that SQL tells."""
    folder = tmp_path_factory.mktemp("inputs")
    path = folder / "contacts.parquet"
    with duckdb.connect() as connection:
        connection.execute(contacts.format(path=path))
    columns = write_orders(orders.format(path=path), folder / "orders.parquet")
    return build(
        "select null as order_id limit 0",
        variables={
            "inputs": {
                **orders_input(folder / "orders.parquet", columns),
                "campaign_contacts": {
                    "path": str(path),
                    "columns": {name: name for name in ("treatment", "cost", "responded_at")},
                },
            },
            **variables,
        },
        select=SELECT,
    )


def test_the_published_rates_of_the_e_mail_test_come_out(hillstrom: Warehouse) -> None:
    rates = hillstrom.mapping(
        """
        select
            treatment,
            round(100 * response_rate, 1),
            round(cast(net_amount as double) / measured_customer_count, 2),
            round(100 * conversion_rate, 2),
            customer_count
        from campaign_performance
        """
    )
    assert rates == {
        "No E-Mail": (10.6, 0.65, 0.57, 21306),
        "Mens E-Mail": (18.3, 1.42, 1.25, 21307),
        "Womens E-Mail": (15.1, 1.08, 0.88, 21387),
    }
    # 21,307 e-mails at ten cents each, and margin as amounts without known costs.
    assert hillstrom.rows(
        """
        select cost_amount, margin_less_cost_amount = net_amount - cost_amount, is_control
        from campaign_performance where treatment in ('Mens E-Mail', 'No E-Mail') order by all
        """
    ) == [(Decimal("0.00"), True, True), (Decimal("2130.70"), True, False)]


def test_both_e_mails_lift_is_there_with_its_interval(hillstrom: Warehouse) -> None:
    source = duckdb.read_parquet(str(HILLSTROM)).df()
    arms_of = dict(list(source.groupby("treatment")))
    for treatment in ("Mens E-Mail", "Womens E-Mail"):
        for metric, column in (
            ("response", "visit"),
            ("conversion", "conversion"),
            ("net_amount", "spend"),
        ):
            ((difference, effect, lower, upper, is_randomised, verdict),) = hillstrom.rows(
                f"""
                select mean_difference, effect, effect_lower, effect_upper, is_randomised, verdict
                from campaign_uplift
                where treatment = '{treatment}' and metric = '{metric}' and segment_kind = 'all'
                """
            )
            welch = stats.ttest_ind(
                arms_of[treatment][column], arms_of["No E-Mail"][column], equal_var=False
            )
            ends = welch.confidence_interval()
            expected = arms_of[treatment][column].mean() - arms_of["No E-Mail"][column].mean()
            assert difference == pytest.approx(expected, abs=1e-6)
            # What was spent before tells little of two weeks: nearly Welch's interval.
            assert (lower, upper) == pytest.approx(
                (ends.low, ends.high), abs=0.05 * (upper - lower)
            )
            assert lower < effect < upper
            assert is_randomised
            assert (verdict, lower > 0) == ("raises", True)


def test_segments_are_those_before_the_contact(hillstrom: Warehouse) -> None:
    counted = hillstrom.rows(
        """
        select segment_kind, sum(treated_customer_count), count(*)
        from campaign_uplift where metric = 'net_amount' and treatment = 'Mens E-Mail'
        group by all order by all
        """
    )
    assert counted == [("all", 21307, 1), ("order_history", 21307, 2), ("spend_before", 21307, 3)]


GROCERS_CONTACTS = """
    copy (
        select
            'c' || n as customer_id, 'flyer' as campaign_id, timestamp '2024-03-01' as contacted_at,
            null as treatment, 1.5 as cost,
            case when n % 3 = 0 then timestamp '2024-03-05' end as responded_at
        from range(200) as numbers (n)
        -- Who spends more was contacted more often.
        where n % 5 < 1 + 3 * (n % 2)
        union all
        select
            'c' || n, 'birthday', timestamp '2024-01-01' + to_days(cast(n as integer)),
            null, 0, null
        from range(60) as numbers (n)
        union all
        select 'c0', 'too late', timestamp '2024-06-15', null, 0, null
    ) to '{path}'
"""
GROCERS_ORDERS = """
    select
        'c' || n || '-' || week as order_id, 'c' || n as customer_id,
        timestamp '2023-09-01' + to_days(cast(7 * week + n % 7 as integer)) as ordered_at,
        cast(10 + 40 * (n % 2) + (n * week) % 11 as decimal(18, 2)) as amount
    from range(200) as numbers (n) cross join range(43) as weeks (week)
    where 7 * week + n % 7 < 304
"""


@pytest.fixture(scope="module")
def grocer(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A shop whose flyer changes nothing, and has no control group."""
    return built(
        build, tmp_path_factory, GROCERS_CONTACTS, GROCERS_ORDERS, {"as_of_date": "2024-07-01"}
    )


def test_without_a_control_group_no_cause_is_claimed(grocer: Warehouse) -> None:
    findings = grocer.rows(
        "select evidence, is_randomised, verdict, finding from campaign_uplift"
        " where campaign_id = 'flyer'"
    )
    assert findings
    for evidence, is_randomised, verdict, finding in findings:
        assert (evidence, is_randomised) == ("observational", False)
        assert verdict in {"no_clear_difference", "too_small"}
        assert CAUSAL.search(finding) is None
        assert finding.startswith("Observational.") or verdict == "too_small"
    # Those contacted spend more; among customers who were alike before, they don't.
    ((difference,),) = grocer.rows(
        "select mean_difference from campaign_uplift"
        " where campaign_id = 'flyer' and metric = 'net_amount' and segment = 'all'"
    )
    assert abs(difference) < 10
    assert (
        grocer.value(
            "select count(*) from campaign_uplift"
            " where metric = 'response' and campaign_id = 'flyer'"
        )
        == 0
    )


def test_contacts_on_as_many_days_as_customers_have_nobody_to_be_compared_with(
    grocer: Warehouse,
) -> None:
    assert grocer.rows(
        "select distinct evidence, verdict from campaign_uplift where campaign_id = 'birthday'"
    ) == [("nothing_to_compare", "nothing_to_compare")]


def test_a_campaign_is_measured_once_its_window_has_closed(grocer: Warehouse) -> None:
    assert grocer.rows(
        """
        select customer_count, measured_customer_count, response_rate, return_on_cost
        from campaign_performance where campaign_id = 'too late'
        """
    ) == [(1, 0, None, None)]
    assert grocer.value("select count(*) from campaign_uplift where campaign_id = 'too late'") == 0
    assert grocer.rows(
        """
        select customer_count, cost_amount, treatment,
            return_on_cost = round((margin_amount - cost_amount) / cost_amount, 6)
        from campaign_performance where campaign_id = 'flyer'
        """
    ) == [(100, Decimal("150.00"), "contacted", True)]


@pytest.mark.parametrize("names", ["control", [], [1]])
def test_a_list_of_control_treatments_is_asked_for(build: Build, names: object) -> None:
    with pytest.raises(BuildError, match="it takes a list of treatments that name a control"):
        build(
            "select 'o' as order_id, 'c' as customer_id, now() as ordered_at, 1 as amount",
            variables={"control_treatments": names},
            select=SELECT,
        )
