"""Tables to compare on: files whose last column is the target, and those that come with scikit-learn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn.datasets
from sklearn.model_selection import train_test_split

BUILT_IN = ("breast_cancer", "diabetes", "digits", "wine")
MAX_TEST_ROWS = 4000


@dataclass(frozen=True)
class Table:
    """A table and its target."""

    name: str
    X: pd.DataFrame
    y: np.ndarray
    is_classification: bool

    @property
    def categorical(self):
        """The names of the columns of categories."""
        return [name for name in self.X if not pd.api.types.is_numeric_dtype(self.X[name])]

    def split(self, seed, max_rows):
        """Return X and y of 80% of the rows, at most `max_rows`, and of the rest."""
        strata = self.y if self.is_classification else None
        X, X_test, y, y_test = train_test_split(self.X, self.y, test_size=0.2, random_state=seed, stratify=strata)
        X, y = X[:max_rows], y[:max_rows]
        X_test, y_test = X_test[:MAX_TEST_ROWS], y_test[:MAX_TEST_ROWS]
        if self.is_classification:
            seen = np.isin(y_test, y)
            X_test, y_test = X_test[seen], y_test[seen]
        return X, X_test, y, y_test


def read(path):
    """Return the Table of a CSV or Parquet file."""
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    y = frame.pop(frame.columns[-1])
    is_number = pd.api.types.is_float_dtype(y) or (pd.api.types.is_integer_dtype(y) and y.nunique() > 50)
    X = frame.astype({name: "category" for name in frame if not pd.api.types.is_numeric_dtype(frame[name])})
    return Table(path.stem, X, y.to_numpy(float) if is_number else y.astype(str).to_numpy(), not is_number)


def tables(folder=None):
    """Yield the tables of a folder, or those that come with scikit-learn."""
    if folder is not None:
        for path in sorted(Path(folder).iterdir()):
            if path.suffix in (".csv", ".parquet"):
                yield read(path)
        return
    for name in BUILT_IN:
        bunch = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
        is_classification = name != "diabetes"
        y = bunch.target.astype(str if is_classification else float).to_numpy()
        yield Table(name, bunch.data, y, is_classification)
