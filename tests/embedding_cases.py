"""A table with categories, and small estimators that embed its columns and scale their inputs."""

import numpy as np
from helpers import rng

from pyrelu import MLPRegressor
from pyrelu._mlp.embedding import PARAMETERS
from pyrelu.registry import embeddings

FULL = dict(
    numeric_embedding="periodic",
    categorical_features=[2, 5],
    embedding_size=3,
    scale_inputs=True,
    parametric_activation=True,
)
KINDS = (None, *((name, {"size": 3, next(iter(PARAMETERS[name])): 5}) for name in embeddings))


def table(n=120, dtype=np.float64):
    """Rows with numbers in four columns and categories in two, and a number to predict."""
    random = rng("table", n)
    X = random.normal(size=(n, 6))
    X[:, 2], X[:, 5] = random.integers(0, 5, n), random.integers(0, 3, n)
    X[0, [2, 5]] = 4, 2
    return X.astype(dtype), (np.sin(X[:, 0]) + (X[:, 2] == 2)).astype(dtype)


def fit(X, y, cls=MLPRegressor, **parameters):
    given = dict(hidden_layer_sizes=(7, 5), activation="gelu", max_iter=2, random_state=0) | FULL
    return cls(**given | parameters).fit(X, y)
