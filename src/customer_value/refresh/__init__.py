"""``customer-value refresh``: builds beside the published file, and publishes only what passed.

Everything that it keeps lies in one folder beside the published file, ``<file>.refresh``: the lock,
the copy that is being built, the log, and the versions before. See docs/refresh.md.
"""

from __future__ import annotations

from customer_value.refresh.outcome import Outcome
from customer_value.refresh.runs import Request, history, refresh, retry, roll_back

__all__ = ["Outcome", "Request", "history", "refresh", "retry", "roll_back"]
