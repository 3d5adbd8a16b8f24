"""Groups of customers who are alike: k-means with a stated k, and numbers that last.

The number of clusters is the one of the highest mean silhouette (Rousseeuw, 1987) among those whose
smallest cluster is no splinter; the count of the run before stays unless another is clearly better.
Clusters begin where they were, and are given the numbers of those that they are nearest to (Kuhn,
1955), so that what a dashboard calls 2 stays 2.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from customer_value import backtest
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

FEATURES = ("log_recency", "log_purchases", "log_amount")
# Two groups are a split, and more than eight are not kept in mind.
COUNTS = range(3, 9)
SMALLEST_SHARE = 0.02
FEWEST_CUSTOMERS = 100
# Silhouettes compare all pairs: of so many customers at most.
COMPARED_CUSTOMERS = 2000
# By less, another number of clusters is no reason to change it.
CLEAR_GAIN = 0.02
# Clusters that began where they were may fit so much worse than those that began anywhere.
WORSE_FIT = 1.01
# Standard deviations. What moved further is another cluster, not the same one elsewhere.
FURTHEST_MOVE = 1.0


@dataclass(frozen=True)
class Clusters:
    """What one run fitted, in the units of the features.

    Attributes:
        centers: one row per cluster, one column per feature.
        numbers: the number of each.
        moves: how far each is from the one of its number in the run before, in standard deviations;
            nan for a new one.
        means: of the sample, per feature.
        deviations: of the sample, per feature; 1 where all are equal.
        silhouette: mean silhouette; nan for a single cluster.
    """

    centers: Floats
    numbers: tuple[int, ...]
    moves: Floats
    means: Floats
    deviations: Floats
    silhouette: float


@on_driver
def train(sample: Relation, run: Relation, kept: Relation | None) -> pd.DataFrame:
    """Fit the clusters of a sample of customers; one row per cluster.

    Args:
        sample: int_customer_value__cluster_sample.
        run: int_customer_value__run.
        kept: what earlier runs returned, None where there was none.
    """
    (settings,) = run.df().to_dict(orient="records")
    as_of_date = pd.Timestamp(settings["as_of_date"])
    # In the order of what is fitted, so that nothing depends on how customers are called.
    values = sample.order(", ".join(FEATURES)).df()[list(FEATURES)].to_numpy(dtype=float)
    before = None if kept is None else kept.df()
    if before is not None:
        before = before[pd.to_datetime(before["as_of_date"]) < as_of_date]
    clusters = fit(values, int(settings["random_seed"]), before)
    return _rows(clusters, as_of_date, len(values))


def fit(values: Floats, seed: int, before: pd.DataFrame | None = None) -> Clusters:
    """Fit clusters to customers.

    Args:
        values: one row per customer, one column per feature.
        seed: of the random starts.
        before: rows of earlier runs, as train returns them.
    """
    has_values = len(values) > 0
    means = values.mean(axis=0) if has_values else np.zeros(len(FEATURES))
    spread = values.std(axis=0) if has_values else np.ones(len(FEATURES))
    # Equal values differ in their last bits once their mean is taken.
    deviations = np.where(spread > 1e-9, spread, 1.0)
    scaled = (values - means) / deviations
    latest = _latest(before)
    earlier = None if latest is None else (_centers(latest) - means) / deviations
    with backtest.reproducible():
        centers, silhouette = _chosen(scaled, seed, earlier)
    numbers, moves = _numbered(centers, earlier, latest, _highest_number(before))
    order = np.argsort(numbers)
    return Clusters(
        centers=(centers * deviations + means)[order],
        numbers=tuple(int(numbers[place]) for place in order),
        moves=moves[order],
        means=means,
        deviations=deviations,
        silhouette=silhouette,
    )


def _chosen(scaled: Floats, seed: int, earlier: Floats | None) -> tuple[Floats, float]:
    """The centers of the number of clusters that the criterion chooses, and their silhouette."""
    everybody = np.zeros((1, len(FEATURES))), float("nan")
    different = len(np.unique(scaled.round(9), axis=0))
    if len(scaled) < FEWEST_CUSTOMERS or different <= COUNTS[0]:
        return everybody
    chance = np.random.default_rng(seed)
    size = min(COMPARED_CUSTOMERS, len(scaled))
    compared = scaled[np.sort(chance.choice(len(scaled), size, replace=False))]
    fits: dict[int, tuple[Floats, float]] = {}
    for count in COUNTS:
        if count >= different:
            break
        fitted = _fitted(scaled, count, seed, earlier)
        labels = fitted.predict(compared)
        sizes = np.bincount(fitted.labels_, minlength=count)
        is_whole = len(np.unique(labels)) == count
        if is_whole and sizes.min() >= SMALLEST_SHARE * len(scaled):
            fits[count] = fitted.cluster_centers_, float(silhouette_score(compared, labels))
    if not fits:
        return everybody
    best = max(fits, key=lambda count: (fits[count][1], -count))
    kept = 0 if earlier is None else len(earlier)
    if kept in fits and fits[kept][1] >= fits[best][1] - CLEAR_GAIN:
        best = kept
    return fits[best]


def _fitted(scaled: Floats, count: int, seed: int, earlier: Floats | None) -> KMeans:
    anywhere = KMeans(count, n_init=4, random_state=seed).fit(scaled)
    if earlier is None or len(earlier) != count:
        return anywhere
    where_they_were = KMeans(count, init=earlier, n_init=1, random_state=seed).fit(scaled)
    is_as_good = where_they_were.inertia_ <= WORSE_FIT * anywhere.inertia_
    return where_they_were if is_as_good else anywhere


def _numbered(
    centers: Floats, earlier: Floats | None, latest: pd.DataFrame | None, highest_number: int
) -> tuple[NDArray[np.int64], Floats]:
    """Numbers of the clusters, and how far they are from those that had them before."""
    numbers = np.zeros(len(centers), dtype=np.int64)
    moves = np.full(len(centers), np.nan)
    if earlier is not None and latest is not None:
        distances = cdist(centers, earlier)
        for place, former in zip(*linear_sum_assignment(distances), strict=True):
            if distances[place, former] <= FURTHEST_MOVE:
                numbers[place] = latest["cluster_number"].iloc[former]
                moves[place] = distances[place, former]
    # New ones count on, from those who ordered lately, often and for much to the others.
    worth = centers @ np.array([-1.0, 1.0, 1.0])
    new = [place for place in np.argsort(-worth, kind="stable") if numbers[place] == 0]
    for offset, place in enumerate(new, 1):
        numbers[place] = highest_number + offset
    return numbers, moves


def _latest(before: pd.DataFrame | None) -> pd.DataFrame | None:
    if before is None or before.empty:
        return None
    rows: pd.DataFrame = before[before["as_of_date"] == before["as_of_date"].max()]
    ordered: pd.DataFrame = rows.sort_values("cluster_number", ignore_index=True)
    return ordered


def _highest_number(before: pd.DataFrame | None) -> int:
    return 0 if before is None or before.empty else int(before["cluster_number"].max())


def _centers(rows: pd.DataFrame) -> Floats:
    centers: Floats = rows[_columns("center")].to_numpy(dtype=float)
    return centers


def _columns(what: str) -> list[str]:
    return [f"{what}_{feature}" for feature in FEATURES]


def _rows(clusters: Clusters, as_of_date: pd.Timestamp, sample_size: int) -> pd.DataFrame:
    values: dict[str, Sequence[Any] | Floats | Any] = {
        "as_of_date": as_of_date,
        "cluster_number": clusters.numbers,
        "sample_customers": sample_size,
        "silhouette": clusters.silhouette,
        "move": clusters.moves,
    }
    for place, feature in enumerate(FEATURES):
        values[f"center_{feature}"] = clusters.centers[:, place]
        values[f"mean_{feature}"] = clusters.means[place]
        values[f"deviation_{feature}"] = clusters.deviations[place]
    rows = pd.DataFrame(values)
    content = json.dumps(rows.drop(columns="as_of_date").to_numpy().tolist())
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    rows["model_version"] = f"clusters-{as_of_date:%Y%m%d}-{digest}"
    return rows
