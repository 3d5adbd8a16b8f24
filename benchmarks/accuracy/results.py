"""What one trial gave: our figures, and those of every peer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from accuracy import targets
from accuracy.measure import BY_KEY, FIGURES, Figures
from accuracy.trials import Trial

# The reference that marketers know, by the package that fits it by maximum likelihood.
REFERENCES = ("lifetimes BG/NBD + GG on all", "pymc-marketing BG/NBD + GG on all")


@dataclass(frozen=True)
class Result:
    """One trial measured.

    Attributes:
        ours: our figures.
        champions: what the package chose to predict with, by its model's name.
        largest_share: what the customer who spent most holds of the holdout's spend.
        without_largest: figures of ours and of every peer on all other customers, by name.
        peers: figures of the fitted peers, by name.
        naive: figures of the naive models, by name.
        failures: peers that gave no prediction, and why.
    """

    trial: Trial
    customers: int
    active_share: float
    ours: Figures
    champions: Mapping[str, str]
    largest_share: float
    without_largest: Mapping[str, Figures]
    peers: Mapping[str, Figures]
    naive: Mapping[str, Figures]
    failures: Mapping[str, str] = field(default_factory=dict)

    def best(self, key: str, among: Mapping[str, Figures]) -> tuple[str, float]:
        """The best of some models for one figure, in hindsight, and its value."""
        loss = BY_KEY[key].loss
        known = {n: f[key] for n, f in among.items() if not math.isnan(f[key])}
        if not known:
            return "none", math.nan
        name = min(known, key=lambda n: loss(known[n]))
        return name, known[name]

    def best_peer(self, key: str) -> tuple[str, float]:
        """The best of fitted and naive models alike."""
        return self.best(key, {**self.peers, **self.naive})

    def reference(self) -> Figures:
        """BG/NBD with Gamma-Gamma on all purchases, as the protocol tells it."""
        for name in REFERENCES:
            if name in self.peers:
                return self.peers[name]
        return dict.fromkeys(BY_KEY, math.nan)

    def missed(self) -> list[str]:
        """Each figure that is not what it must be at least."""
        return [
            f"{self.trial.name}, {figure.label}"
            for figure in FIGURES
            if (bounds := targets.bound(targets.AT_LEAST, self.trial.name, figure.key))
            and not targets.is_met(bounds, self.ours[figure.key])
        ]

    def wins(self) -> tuple[int, int, int]:
        """How often we are ahead of the best peer in hindsight, level as told, and behind."""
        ahead = level = behind = 0
        for figure in FIGURES:
            ours, peer = self.ours[figure.key], self.best_peer(figure.key)[1]
            our_loss, peer_loss = (
                round(figure.loss(round(value, figure.digits)), figure.digits)
                for value in (ours, peer)
            )
            ahead += our_loss < peer_loss
            level += our_loss == peer_loss
            behind += our_loss > peer_loss
        return ahead, level, behind
