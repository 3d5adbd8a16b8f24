"""What a campaign changed: each treatment beside its control group, or beside similar customers.

All of it comes from sums over arms, so it costs the same whatever the number of customers. What a
customer did before lowers the noise (CUPED: Deng, Xu, Kohavi and Walker, WSDM 2013); intervals are
Welch's. Segments are held to the multiple comparison that they are (Holm 1979), and their effects
are drawn towards the whole by as much as they differ by chance (DerSimonian and Laird 1986).

Without a control group, customers are compared within strata of recency, frequency and spend
before the contact, as those who were contacted are spread over them. What else set them apart
stays in the figure, so nothing there is called an effect.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from scipy import stats

from customer_value.spark_frames import on_driver

LEVEL = 0.95
# Of fewer in either arm nothing is said, nor of a rate that fewer of them add to.
MINIMUM_CUSTOMERS = 30
MINIMUM_EVENTS = 5
# A control group that differs before the contact as one in a thousand does by chance was not left
# to chance. Two figures are looked at.
UNLIKELY = 0.001
LENT_CUSTOMERS = 10
RATES = ("response", "conversion")
SUMS = ["outcome_sum", "outcome_square_sum", "before_sum", "before_square_sum", "product_sum"]
KEY = ["campaign_id", "treatment", "segment_kind", "segment", "metric"]
PLACE = ["campaign_id", "segment_kind", "segment", "metric"]
FAMILY = ["campaign_id", "segment_kind", "metric"]
ARMS = ("_treated", "_compared")
FIGURES = [
    "treated_mean",
    "compared_mean",
    "mean_difference",
    "effect",
    "effect_lower",
    "effect_upper",
    "p_value",
]

COLUMNS = {
    "campaign_id": "string",
    "treatment": "string",
    "segment_kind": "string",
    "segment": "string",
    "metric": "string",
    "evidence": "string",
    "treated_customer_count": "int64",
    "compared_customer_count": "int64",
    "matched_rate": "float64",
    "treated_mean": "float64",
    "compared_mean": "float64",
    "mean_difference": "float64",
    "effect": "float64",
    "effect_lower": "float64",
    "effect_upper": "float64",
    "shrunk_effect": "float64",
    "p_value": "float64",
    "adjusted_p_value": "float64",
    "verdict": "string",
    "finding": "string",
}


@on_driver
def measure(arms: Relation) -> pd.DataFrame:
    """Each treatment's difference from those it can be compared with.

    Args:
        arms: int_customer_value__campaign_arms: sums by campaign, arm, segment, metric, stratum.

    Returns:
        One row per campaign, treatment, segment and metric; NaN where nothing can be said.
    """
    cells = arms.df()
    treated = cells[cells["arm"] == "treated"]
    others = cells[cells["arm"] != "treated"].drop(columns="treatment")
    if treated.empty:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    evidence = _evidence(treated, others)
    treated = treated.merge(evidence, on=KEY[:2])
    # Who is compared without a control group can't have responded.
    treated = treated[(treated["evidence"] != "observational") | (treated["metric"] != "response")]
    is_random = treated["evidence"] == "control_group"
    # Chance has made the arms alike: strata would only cost customers.
    parts = [
        compare(_pooled(treated[is_random]), _pooled(others)),
        compare(treated[~is_random], others),
    ]
    found = pd.concat([part for part in parts if not part.empty]).reset_index()
    found = found.merge(evidence, on=KEY[:2]).sort_values(KEY, ignore_index=True)
    _leave_unsaid(found)
    found["adjusted_p_value"] = found.groupby(FAMILY)["p_value"].transform(_holm)
    found["verdict"] = [_verdict(row) for row in found.to_dict("records")]
    found["shrunk_effect"] = _shrunk(found)
    found["finding"] = [_finding(row) for row in found.to_dict("records")]
    return found[list(COLUMNS)].astype(COLUMNS)


def compare(treated: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """The difference of arms, averaged over strata as the treated are spread over them.

    Args:
        treated: one row per campaign, treatment, segment, metric and stratum: the sums.
        others: the same of those left alone, without a treatment. Treated customers of a stratum
            that has not two of both arms are left out.

    Returns:
        Indexed by campaign, treatment, segment and metric: means, the difference, its interval and
        p-value, NaN where nothing is left; and the number of events among those compared.
    """
    pairs = treated.merge(others, on=[*PLACE, "stratum"], suffixes=ARMS)
    pairs = pairs[(pairs[[f"customer_count{arm}" for arm in ARMS]] > 1).all(axis=1)]
    for arm in ARMS:
        _add_moments(pairs, arm)
    groups = pairs.groupby(KEY, sort=True)
    product, square = (
        groups[f"{name}_treated"].transform("sum") + groups[f"{name}_compared"].transform("sum")
        for name in ("product", "before_square")
    )
    pairs["slope"] = (product / square).where(square > 0, 0.0)
    weight = pairs["customer_count_treated"] / groups["customer_count_treated"].transform("sum")
    keys = [pairs[name] for name in KEY]

    def mean(values: pd.Series[float]) -> pd.Series[float]:
        return (weight * values).groupby(keys).sum()

    means = {arm: mean(pairs[f"outcome_mean{arm}"]) for arm in ARMS}
    shift = mean(pairs["slope"] * (pairs["before_mean_treated"] - pairs["before_mean_compared"]))
    terms = {arm: weight**2 * _spread(pairs, arm) / pairs[f"customer_count{arm}"] for arm in ARMS}
    total = (terms["_treated"] + terms["_compared"]).groupby(keys).sum()
    doubts = [terms[arm] ** 2 / pairs[f"freedom{arm}"] for arm in ARMS]
    doubt = (doubts[0] + doubts[1]).groupby(keys).sum()
    sums = groups.sum(numeric_only=True)
    effect = means[ARMS[0]] - means[ARMS[1]] - shift
    # Without any spread there is no telling how certain it is.
    deviation = total.where(total > 0) ** 0.5
    freedom = (total**2 / doubt).where(doubt > 0)
    half_width = stats.t.ppf((1 + LEVEL) / 2, freedom) * deviation
    counts = treated.groupby(KEY, sort=True)["customer_count"].sum()
    compared = pd.DataFrame(
        {
            "treated_customer_count": counts,
            "compared_customer_count": sums["customer_count_compared"],
            "matched_customer_count": sums["customer_count_treated"],
            "event_count": sums["outcome_sum_treated"] + sums["outcome_sum_compared"],
            "treated_mean": means[ARMS[0]],
            "compared_mean": means[ARMS[1]],
            "mean_difference": means[ARMS[0]] - means[ARMS[1]],
            "effect": effect,
            "effect_lower": effect - half_width,
            "effect_upper": effect + half_width,
            "p_value": 2 * (effect / deviation).abs().combine(freedom, stats.t.sf),
        },
        index=counts.index,
    )
    for name in ("compared_customer_count", "matched_customer_count"):
        compared[name] = compared[name].fillna(0).astype("int64")
    compared["matched_rate"] = compared["matched_customer_count"] / counts
    return compared


def _add_moments(pairs: pd.DataFrame, arm: str) -> None:
    count = pairs[f"customer_count{arm}"].astype("float64")
    outcome, before = pairs[f"outcome_sum{arm}"], pairs[f"before_sum{arm}"]
    pairs[f"outcome_mean{arm}"] = outcome / count
    pairs[f"before_mean{arm}"] = before / count
    # Cancellation may leave a sum of squares a hair below 0.
    for name, total in (("outcome", outcome), ("before", before)):
        squares = pairs[f"{name}_square_sum{arm}"] - total**2 / count
        pairs[f"{name}_square{arm}"] = squares.clip(lower=0)
    pairs[f"product{arm}"] = pairs[f"product_sum{arm}"] - outcome * before / count


def _spread(pairs: pd.DataFrame, arm: str) -> pd.Series[float]:
    """The variance within each stratum, less what was to be expected; its freedom in a column.

    A stratum's own, and that of all strata as if of ten customers more: a stratum of few in which
    nobody bought would look certain by itself.
    """
    square = (
        pairs[f"outcome_square{arm}"]
        - 2 * pairs["slope"] * pairs[f"product{arm}"]
        + pairs["slope"] ** 2 * pairs[f"before_square{arm}"]
    ).clip(lower=0)
    own = (pairs[f"customer_count{arm}"] - 1).astype("float64")
    keys = [pairs[name] for name in KEY]
    freedom = own.groupby(keys).transform("sum")
    common = square.groupby(keys).transform("sum") / freedom
    pairs[f"freedom{arm}"] = np.minimum(own + LENT_CUSTOMERS, freedom)
    return (square + LENT_CUSTOMERS * common) / (own + LENT_CUSTOMERS)


def _pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of all strata as one."""
    keys = [name for name in KEY if name in cells]
    return cells.groupby(keys)[["customer_count", *SUMS]].sum().reset_index().assign(stratum="all")


def _evidence(treated: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """What each campaign and treatment can be compared with."""
    arms = others.groupby("campaign_id")["arm"].min()
    found = treated[KEY[:2]].drop_duplicates().sort_values(KEY[:2], ignore_index=True)
    found["evidence"] = (
        found["campaign_id"]
        .map(arms)
        .map({"control": "control_group", "comparison": "observational"})
        .fillna("nothing_to_compare")
    )
    before = compare(*(_pooled(_as_outcome(arm)) for arm in (treated, others)))
    unlike = before[before["p_value"] < UNLIKELY].reset_index()
    is_unlike = pd.MultiIndex.from_frame(found[KEY[:2]]).isin(
        pd.MultiIndex.from_frame(unlike[KEY[:2]])
    )
    is_control = found["evidence"] == "control_group"
    found.loc[is_control & is_unlike, "evidence"] = "control_group_unlike"
    return found


def _as_outcome(cells: pd.DataFrame) -> pd.DataFrame:
    """What was before, looked at as if it were the outcome: orders once, and net amounts once."""
    kept = cells[
        (cells["segment_kind"] == "all") & cells["metric"].isin(["conversion", "net_amount"])
    ]
    return kept.assign(
        outcome_sum=kept["before_sum"],
        outcome_square_sum=kept["before_square_sum"],
        before_sum=0.0,
        before_square_sum=0.0,
        product_sum=0.0,
    )


def _leave_unsaid(found: pd.DataFrame) -> None:
    """Empty what is of too few."""
    is_few = (
        found[["matched_customer_count", "compared_customer_count"]].min(axis=1) < MINIMUM_CUSTOMERS
    )
    is_rare = found["metric"].isin(RATES) & (found["event_count"] < MINIMUM_EVENTS)
    found.loc[is_few | is_rare | found["p_value"].isna(), FIGURES] = math.nan


def _holm(values: pd.Series[float]) -> pd.Series[float]:
    """P-values of a family, so that any at all is below the level by chance as often as it says."""
    ordered = values.dropna().sort_values()
    count = len(ordered)
    factors = np.arange(count, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(ordered.to_numpy() * factors), 1.0)
    return pd.Series(stepped, index=ordered.index).reindex(values.index)


def _shrunk(found: pd.DataFrame) -> pd.Series[float]:
    """Effects by segment, drawn towards their mean by as much of their spread as is chance."""
    shrunk = found["effect"].astype("float64").copy()
    known = found[found["effect"].notna() & (found["segment_kind"] != "all")]
    for _, family in known.groupby(["campaign_id", "treatment", "segment_kind", "metric"]):
        if len(family) < 2:
            continue
        quantile = stats.norm.ppf((1 + LEVEL) / 2)
        variance = ((family["effect_upper"] - family["effect_lower"]) / (2 * quantile)) ** 2
        weights = 1 / variance
        mean = float((weights * family["effect"]).sum() / weights.sum())
        spread = float((weights * (family["effect"] - mean) ** 2).sum())
        scale = float(weights.sum() - (weights**2).sum() / weights.sum())
        between = max(0.0, (spread - (len(family) - 1)) / scale) if scale > 0 else 0.0
        kept = between / (between + variance)
        shrunk.loc[family.index] = mean + kept * (family["effect"] - mean)
    return shrunk


def _verdict(row: Mapping[Hashable, Any]) -> str:
    if row["evidence"] == "nothing_to_compare":
        return "nothing_to_compare"
    if math.isnan(row["effect"]):
        return "too_small"
    is_clear = row["adjusted_p_value"] < 1 - LEVEL
    if row["evidence"] != "control_group":
        if not is_clear:
            return "no_clear_difference"
        return "higher_among_contacted" if row["effect"] > 0 else "lower_among_contacted"
    if not is_clear:
        return "no_clear_effect"
    return "raises" if row["effect"] > 0 else "lowers"


# How each metric is said of customers, and of those who got nothing.
WORDS = {
    "response": "responded",
    "conversion": "ordered",
    "net_amount": "net amount per customer",
    "margin": "margin per customer",
}


def _finding(row: Mapping[Hashable, Any]) -> str:
    if row["verdict"] == "nothing_to_compare":
        return (
            "No control group, and no customers at one time to compare with: nothing can be said."
        )
    if row["verdict"] == "too_small":
        return "Too few customers, or too few of them did anything, to say anything."
    metric, is_rate = row["metric"], row["metric"] in RATES
    means = " against ".join(
        f"{100 * row[name]:.1f}%" if is_rate else f"{row[name]:.2f}"
        for name in ("treated_mean", "compared_mean")
    )
    factor, unit, digits = (100, " points", 1) if is_rate else (1, "", 2)
    middle, lower, upper = (
        f"{factor * row[name]:+.{digits}f}" for name in ("effect", "effect_lower", "effect_upper")
    )
    measured = f"{WORDS[metric]}: {means}, {middle}{unit} ({lower} to {upper})"
    if row["evidence"] == "control_group":
        ending = {
            "raises": "more than the control group by more than chance.",
            "lowers": "less than the control group by more than chance.",
            "no_clear_effect": "no difference from the control group that chance could not make.",
        }[row["verdict"]]
        return f"{measured}; {ending}"
    ending = {
        "control_group_unlike": "the control group was another kind of customers already before",
        "observational": "who was contacted was not left to chance",
    }[row["evidence"]]
    return (
        f"Observational. {measured}, among customers similar before the contact; {ending}, "
        "so this does not tell what the campaign did."
    )
