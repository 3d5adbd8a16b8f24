"""Lists of the library implicit, for recommendations.py; runs in an environment of its own.

    build/peers/bin/python benchmarks/recommendation_peers.py PURCHASES LISTS

PURCHASES is CSV: customer_number, product_number (both from 0) and purchase_day_count. LISTS is
written: method, is_repeat_allowed, customer_number, product_number, list_rank.
"""

from __future__ import annotations

import os
import sys

# Before numpy is loaded: implicit has threads of its own.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from scipy import sparse

LENGTH = 10


def main() -> None:
    """Fit each model once, and recommend with repeats and without."""
    source, target = sys.argv[1:]
    purchases = pd.read_csv(source)
    pairs = (purchases["customer_number"], purchases["product_number"])
    counts = sparse.csr_matrix((purchases["purchase_day_count"].astype(np.float32), pairs))
    bought = counts.copy()
    bought.data[:] = 1
    models = {
        "cosine, 20 neighbours": (CosineRecommender(K=20), bought),
        "BM25, 20 neighbours": (BM25Recommender(K=20), counts),
        "BM25, 100 neighbours": (BM25Recommender(K=100), counts),
        "ALS, bought or not": (AlternatingLeastSquares(factors=64, random_state=42), bought),
        "ALS, days": (AlternatingLeastSquares(factors=64, random_state=42), counts),
    }
    everybody = np.arange(counts.shape[0])
    parts = []
    for name, (model, matrix) in models.items():
        model.fit(matrix, show_progress=False)
        for is_repeat_allowed in (False, True):
            lists, _ = model.recommend(
                everybody, matrix, N=LENGTH, filter_already_liked_items=not is_repeat_allowed
            )
            parts.append(
                pd.DataFrame(
                    {
                        "method": f"implicit: {name}",
                        "is_repeat_allowed": is_repeat_allowed,
                        "customer_number": np.repeat(everybody, LENGTH),
                        "product_number": lists.ravel(),
                        "list_rank": np.tile(np.arange(1, LENGTH + 1), len(everybody)),
                    }
                )
            )
    pd.concat(parts).to_csv(target, index=False)


if __name__ == "__main__":
    main()
