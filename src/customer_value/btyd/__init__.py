"""Buy till you die: probability models of how often, how long and for how much customers buy."""

from customer_value.btyd.beta_geometric_nbd import BgNbd, MbgNbd
from customer_value.btyd.counting_model import CountingFit, CountingModel
from customer_value.btyd.gamma_gamma import GammaGamma
from customer_value.btyd.histories import ImpossibleInputError
from customer_value.btyd.nbd import Nbd
from customer_value.btyd.pareto_nbd import ParetoNbd
from customer_value.btyd.shifted_beta_geometric import ShiftedBetaGeometric

COUNTING_MODELS: dict[str, type[CountingFit]] = {
    model.name: model for model in (BgNbd, MbgNbd, ParetoNbd, Nbd)
}

__all__ = [
    "COUNTING_MODELS",
    "BgNbd",
    "CountingModel",
    "GammaGamma",
    "ImpossibleInputError",
    "MbgNbd",
    "Nbd",
    "ParetoNbd",
    "ShiftedBetaGeometric",
]
