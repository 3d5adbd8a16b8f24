"""What the figures are held to, on 2 cores."""

from __future__ import annotations

import dataclasses
from typing import Final

from speed import package
from speed.results import SIZES, Result

SMALLER, LARGER = SIZES

MOST_TIMES_BY_HAND: Final = 1.3
LEAST_TIMES_RFM_SUMMARY: Final = 15.0
MOST_TIMES_BY_HAND_OF_ALL: Final = 4.0
MOST_TIMES_OF_TEN_TIMES_THE_ORDERS: Final = 12.0
MOST_GIGABYTES: Final = {SMALLER: 8.0, LARGER: 16.0}
MOST_SECONDS_OF_A_FIT: Final = 10.0
MOST_SECONDS_OF_THE_DEMO: Final = 30.0
MOST_OF_THE_BUILD: Final = 0.15
MOST_TIMES_THE_REST: Final = 1.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A figure beside its limit.

    Attributes:
        figure: what is measured.
        value: the figure.
        limit: the least or most that is asked.
        is_least: which of them the limit is.
        unit: that both are in; empty for ratios.
    """

    figure: str
    value: float
    limit: float
    unit: str = ""
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is."""
        return self.value >= self.limit if self.is_least else self.value <= self.limit


def verdicts(result: Result, smaller: Result | None) -> list[Verdict]:
    """All figures of a run that something is asked of.

    Args:
        result: the run; of a size that has no targets nothing is asked.
        smaller: the last run of a tenth of the customers, if there is one.
    """
    if result.customers not in SIZES:
        return []
    found = [
        Verdict(
            "cleaning, RFM and cohorts, times the SQL written by hand",
            result.models.wall_seconds / result.by_hand.wall_seconds,
            MOST_TIMES_BY_HAND,
        ),
        Verdict(
            "peak memory of the whole build",
            result.build.peak_gigabytes,
            MOST_GIGABYTES[result.customers],
            " GB",
        ),
    ]
    if result.rfm_summary and result.rfm_summary.seconds:
        found.append(
            Verdict(
                "RFM, times faster than `rfm_summary` of pymc-marketing",
                result.rfm_summary.seconds / package.seconds_of(package.RFM, result.models),
                LEAST_TIMES_RFM_SUMMARY,
                is_least=True,
            )
        )
    if result.customers == SMALLER:
        found.append(
            Verdict(
                "the whole build with its tests, training and scoring, times the SQL by hand for "
                "cleaning, RFM and cohorts",
                result.build.wall_seconds / result.by_hand.wall_seconds,
                MOST_TIMES_BY_HAND_OF_ALL,
            )
        )
    if result.customers == LARGER:
        found.append(
            Verdict(
                "scoring all customers, times two full scans and one write of the features",
                package.seconds_of(package.SCORING, result.build) / result.features.seconds,
                1.0,
            )
        )
        if smaller:
            found.append(
                Verdict(
                    "the whole build, times that of a tenth of the orders",
                    result.build.wall_seconds / smaller.build.wall_seconds,
                    MOST_TIMES_OF_TEN_TIMES_THE_ORDERS,
                )
            )
    if "ours" in result.fits and (seconds := result.fits["ours"].seconds) is not None:
        found.append(Verdict("BG/NBD of 1 million customers", seconds, MOST_SECONDS_OF_A_FIT, " s"))
    if result.demo:
        found.append(
            Verdict(
                "the demo's build, start-up included",
                result.demo.elapsed_seconds,
                MOST_SECONDS_OF_THE_DEMO,
                " s",
            )
        )
    if result.refresh:
        found.append(
            Verdict(
                "a refresh with 1% new orders, share of the whole build's time",
                result.refresh.wall_seconds / result.build.wall_seconds,
                MOST_OF_THE_BUILD,
            )
        )
    if result.with_lines and result.decision_seconds is not None:
        all_seconds = sum(step.seconds for step in result.with_lines.steps.values())
        found.append(
            Verdict(
                "with order lines, all of decisions, times the rest of the build",
                result.decision_seconds / (all_seconds - result.decision_seconds),
                MOST_TIMES_THE_REST,
            )
        )
    return found
