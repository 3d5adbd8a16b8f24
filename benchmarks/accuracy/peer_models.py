"""What other packages predict: run in an environment of their own, which has none of ours.

    build/peers/bin/python peer_models.py HISTORIES HORIZON_WEEKS PREDICTIONS

HISTORIES is a CSV file of one row per customer: customer_id, frequency (purchase days after the
first), recency and age (weeks from the first purchase to the last one, and to the end of
calibration), repeat_amount and mean_amount (means over the repeat days, and over all). To
PREDICTIONS goes one row per model and customer; a model that can't be fitted is named in it with
the reason instead.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import lifetimes
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymc_marketing import clv

# They warn of their own future, and of logarithms on the way to an optimum.
warnings.filterwarnings("ignore")

Floats = NDArray[np.float64]
# What a model of purchases predicts of each customer: how many, and the chance of at least one.
Purchases = tuple[Floats, Floats]
# Where lifetimes does not converge, it is penalised more and more strongly.
PENALTIES = (0.0, 0.001, 0.01, 0.1)


class Fitter(Protocol):
    """A model of lifetimes: of purchases or of amounts, which share no type."""

    def fit(self, *columns: Floats) -> Fitter:
        """Fit, and return itself."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what it predicts depends on its kind
        """Its parameters and predictions."""


def chance_after_purchase(
    histories: pd.DataFrame, horizon: float, alive: Floats, shape: float, scale: float
) -> Floats:
    """P(at least one purchase) where customers leave only after a purchase: BG/NBD, MBG/NBD.

    Whoever is alive goes on buying at a rate that is Gamma distributed, and can't leave before
    the next purchase. Neither package has this figure right for both models: lifetimes has
    none, and that of pymc-marketing 0.19.2 is wrong for customers without a repeat.
    """
    posterior = shape + histories["frequency"].to_numpy()
    none = ((scale + histories["age"]) / (scale + histories["age"] + horizon)) ** posterior
    return np.asarray(alive * (1 - none.to_numpy()))


def _lifetimes_fit(make: Callable[[float], Fitter], *columns: Floats) -> Fitter:
    """The first fit that converges; lifetimes itself advises a penalty where none does."""
    failure = None
    for penalty in PENALTIES:
        try:
            return make(penalty).fit(*columns)
        except Exception as error:  # noqa: BLE001 - its own, and those of what it calls
            failure = error
    raise RuntimeError(str(failure))


def lifetimes_purchases(model: str, histories: pd.DataFrame, horizon: float) -> Purchases:
    """BG/NBD, MBG/NBD or Pareto/NBD by lifetimes."""
    fitter = {
        "BG/NBD": lifetimes.BetaGeoFitter,
        "MBG/NBD": lifetimes.ModifiedBetaGeoFitter,
        "Pareto/NBD": lifetimes.ParetoNBDFitter,
    }[model]
    # Arrays: its Pareto/NBD misreads Series.
    columns = [histories[name].to_numpy() for name in ("frequency", "recency", "age")]
    fitted = _lifetimes_fit(lambda penalty: fitter(penalizer_coef=penalty), *columns)
    count = fitted.conditional_expected_number_of_purchases_up_to_time(horizon, *columns)
    if model == "Pareto/NBD":
        none = fitted.conditional_probability_of_n_purchases_up_to_time(0, horizon, *columns)
        return np.asarray(count), 1 - np.asarray(none)
    alive = np.asarray(fitted.conditional_probability_alive(*columns))
    chance = chance_after_purchase(
        histories, horizon, alive, fitted.params_["r"], fitted.params_["alpha"]
    )
    return np.asarray(count), chance


def lifetimes_amount(histories: pd.DataFrame) -> Floats:
    """Gamma-Gamma by lifetimes, of the columns frequency and monetary_value."""
    used = histories[(histories["frequency"] > 0) & (histories["monetary_value"] > 0)]
    fitted = _lifetimes_fit(
        lambda penalty: lifetimes.GammaGammaFitter(penalizer_coef=penalty),
        used["frequency"].to_numpy(),
        used["monetary_value"].to_numpy(),
    )
    return np.asarray(
        fitted.conditional_expected_average_profit(
            histories["frequency"], histories["monetary_value"]
        )
    )


def pymc_purchases(model: str, histories: pd.DataFrame, horizon: float) -> Purchases:
    """BG/NBD, MBG/NBD or Pareto/NBD by pymc-marketing, at the maximum of the posterior."""
    kind = {
        "BG/NBD": clv.BetaGeoModel,
        "MBG/NBD": clv.ModifiedBetaGeoModel,
        "Pareto/NBD": clv.ParetoNBDModel,
    }[model]
    data = histories[["customer_id", "frequency", "recency", "age"]].rename(columns={"age": "T"})
    fitted = kind(data=data)
    fitted.fit(method="map", progressbar=False)
    count = fitted.expected_purchases(data, future_t=horizon).to_numpy().ravel()
    if model == "Pareto/NBD":
        none = fitted.expected_purchase_probability(data, n_purchases=0, future_t=horizon)
        return count, 1 - none.to_numpy().ravel()
    alive = fitted.expected_probability_alive(data).to_numpy().ravel()
    shape, scale = (float(fitted.fit_result[name].to_numpy().ravel()[0]) for name in ("r", "alpha"))
    return count, chance_after_purchase(histories, horizon, alive, shape, scale)


def pymc_amount(histories: pd.DataFrame) -> Floats:
    """Gamma-Gamma by pymc-marketing, of the columns frequency and monetary_value."""
    data = histories[["customer_id", "frequency", "monetary_value"]]
    fitted = clv.GammaGammaModel(data=data[(data["frequency"] > 0) & (data["monetary_value"] > 0)])
    fitted.fit(method="map", progressbar=False)
    return np.asarray(fitted.expected_customer_spend(data).to_numpy().ravel())


PACKAGES = {
    "lifetimes": (lifetimes_purchases, lifetimes_amount),
    "pymc-marketing": (pymc_purchases, pymc_amount),
}
MODELS = ("BG/NBD", "MBG/NBD", "Pareto/NBD")


def amounts(histories: pd.DataFrame, of: Callable[[pd.DataFrame], Floats]) -> dict[str, Any]:
    """Gamma-Gamma on repeat purchases, as published, and on all of them."""
    on_repeats = histories.assign(monetary_value=histories["repeat_amount"])
    on_all = histories.assign(
        frequency=histories["frequency"] + 1, monetary_value=histories["mean_amount"]
    )
    return {"GG": of(on_repeats), "GG on all": of(on_all)}


def predictions(histories: pd.DataFrame, horizon: float) -> Iterator[pd.DataFrame]:
    """One frame per model, of one row per customer, or of one row with why it failed."""
    for package, (purchases, amount) in PACKAGES.items():
        mean_amounts = amounts(histories, amount)
        for model in MODELS:
            try:
                count, chance = purchases(model, histories, horizon)
            except Exception as error:  # noqa: BLE001 - a peer's failure is a finding, not ours
                yield pd.DataFrame({"model": [f"{package} {model}"], "failure": [str(error)]})
                continue
            for name, mean_amount in mean_amounts.items():
                yield pd.DataFrame(
                    {
                        "model": f"{package} {model} + {name}",
                        "customer_id": histories["customer_id"],
                        "order_count": count,
                        "net_amount": count * mean_amount,
                        "churn_probability": np.clip(1 - chance, 0, 1),
                    }
                )


def main() -> None:
    """Fit all on one file of histories."""
    source, horizon, target = sys.argv[1:]
    histories = pd.read_csv(Path(source), dtype={"customer_id": str})
    pd.concat(predictions(histories, float(horizon))).to_csv(Path(target), index=False)


if __name__ == "__main__":
    main()
