"""Types that annotations share."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

Floats = NDArray[np.floating[Any]]  # float32 or float64
Indices = NDArray[np.intp]
Rows = ArrayLike | sparray | spmatrix  # X, as users pass it
Data = tuple[Any, Floats, Floats | None]  # X as checked, an array or a CSR matrix; targets; weights
