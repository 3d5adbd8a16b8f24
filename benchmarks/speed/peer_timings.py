"""What other packages take: run in an environment of their own, which has none of ours.

    build/peers/bin/python peer_timings.py rfm ORDERS
    build/peers/bin/python peer_timings.py lifetimes|pymc-marketing HISTORIES

ORDERS is a CSV file of customer_id, ordered_at and net_amount; HISTORIES is that of fit_ours.
Timed is the call alone, from a data frame in memory to the summary, or to parameters. The last
line printed is JSON, of seconds and parameters, or of the reason why there are none.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Final

import lifetimes
import pandas as pd
from pymc_marketing import clv

# They warn of their own future, and of logarithms on the way to an optimum.
warnings.filterwarnings("ignore")

PARAMETERS: Final = ("r", "alpha", "a", "b")
Parameters = Mapping[str, float]


def rfm(path: str) -> Callable[[], Parameters]:
    """rfm_summary of pymc-marketing over all orders."""
    orders = pd.read_csv(path, dtype={"customer_id": str}, parse_dates=["ordered_at"])

    def summarise() -> Parameters:
        summary = clv.utils.rfm_summary(orders, "customer_id", "ordered_at", "net_amount")
        return {"customers": len(summary)}

    return summarise


def of_lifetimes(path: str) -> Callable[[], Parameters]:
    """BG/NBD of lifetimes, without a penalty."""
    histories = pd.read_csv(path)
    columns = [histories[name].to_numpy() for name in ("frequency", "recency", "age")]

    def fit() -> Parameters:
        fitted = lifetimes.BetaGeoFitter().fit(*columns)
        return {name: float(fitted.params_[name]) for name in PARAMETERS}

    return fit


def of_pymc(path: str) -> Callable[[], Parameters]:
    """BG/NBD of pymc-marketing, at the maximum of the posterior; compiling is part of it."""
    histories = pd.read_csv(path).rename(columns={"age": "T"})
    histories.insert(0, "customer_id", range(len(histories)))

    def fit() -> Parameters:
        fitted = clv.BetaGeoModel(data=histories)
        fitted.fit(method="map", progressbar=False)
        return {name: float(fitted.fit_result[name].to_numpy().ravel()[0]) for name in PARAMETERS}

    return fit


TIMED: Final = {"rfm": rfm, "lifetimes": of_lifetimes, "pymc-marketing": of_pymc}


def main() -> None:
    """Time one of them."""
    name, path = sys.argv[1:]
    call = TIMED[name](path)
    started = time.perf_counter()
    try:
        parameters = call()
    except Exception as error:  # noqa: BLE001 - a peer's failure is a finding, not ours
        print(json.dumps({"failure": f"{type(error).__name__}: {error}"[:300]}))
        return
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "parameters": parameters}))


if __name__ == "__main__":
    main()
