"""Buy till you die: probability models of how often, how long and for how much customers buy."""

from customer_value.btyd.beta_geometric_nbd import BgNbd, MbgNbd
from customer_value.btyd.counting_model import CountingModel
from customer_value.btyd.nbd import Nbd
from customer_value.btyd.pareto_nbd import ParetoNbd

__all__ = ["BgNbd", "CountingModel", "MbgNbd", "Nbd", "ParetoNbd"]
