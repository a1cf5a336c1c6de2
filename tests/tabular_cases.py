"""Tables of every kind of column, targets of them, and estimators that are small enough for tests."""

from importlib.util import find_spec

import numpy as np
import pandas as pd

from pyrelu import TabularMLPClassifier, TabularMLPRegressor

SMALL = dict(preset="td", hidden_layer_sizes=(16,), max_iter=8, random_state=0)
BOTH = (TabularMLPClassifier, TabularMLPRegressor)


def table(n=120, seed=0):
    """Columns of every kind, missing values in all."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "number": random.normal(size=n),
            "count": random.integers(0, 9, size=n),
            "flag": pd.array(random.integers(0, 2, size=n).astype(bool), "boolean"),
            "colour": random.choice(["red", "green", "blue"], size=n),
            "town": [f"town {i}" for i in random.integers(0, 15, size=n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 99, size=n), "D"),
            "same": 1.0,
            "nothing": np.nan,
        }
    ).astype({"colour": object, "town": object})
    for i, name in enumerate(X.columns[:6]):
        X.loc[X.index[i::17], name] = None if X[name].dtype == object else pd.NaT if name == "day" else pd.NA
    return X


def labels(X):
    return np.where(X["number"].fillna(0) + (X["colour"] == "red") > 0.4, "yes", "no")


def numbers(X):
    return 1000 + 50 * (X["number"].fillna(0) + (X["colour"] == "red")).to_numpy(float)


def targets(cls, X):
    return labels(X) if cls is TabularMLPClassifier else numbers(X)


def outputs(estimator, X):
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


def containers(X):
    """The same table in all containers that are installed."""
    found = {"pandas": X, "objects": X.astype(object).where(X.notna(), None).to_numpy(dtype=object)}
    if find_spec("pyarrow"):
        import pyarrow as pa

        found["pyarrow"] = pa.Table.from_pandas(X, preserve_index=False)
        if find_spec("polars"):
            import polars as pl

            found["polars"] = pl.from_pandas(X)
    return found
