from typing import Any

import numpy as np

from pyrelu._typing import Floats

class Samples:
    n_samples: int
    n_features: int
    n_targets: int
    dtype: np.dtype[np.floating[Any]]
    def __init__(self, X: Any, targets: Floats | None = None, weights: Floats | None = None) -> None: ...
    def ranges(self) -> Floats | None: ...

def is_finite_matrix(X: object, n_columns: object) -> bool: ...
