"""What the first layer takes in place of the columns of X: embeddings of numbers and of categories, learned scales."""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Self, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pyrelu import registry
from pyrelu._mlp.constraints import Constraint, is_sequence, none, one_of, real
from pyrelu._network import MAX_EMBEDDING_SIZE
from pyrelu.exceptions import InvalidParameterError

Given = str | tuple[str, Mapping[str, Any]]

PERIODIC, PIECEWISE_LINEAR = "periodic", "piecewise_linear"


Arrays = dict[str, NDArray[Any]]


def _linear(n_columns: int, n_features: int, size: int, random_state: np.random.RandomState) -> Arrays:
    bound = 1 / np.sqrt(n_features)  # torch.nn.Linear's
    return {
        "weights": random_state.uniform(-bound, bound, (n_columns, n_features, size - 1)),
        "biases": random_state.uniform(-bound, bound, (n_columns, size - 1)),
    }


def _periodic(
    X: NDArray[Any], random_state: np.random.RandomState, *, n_frequencies: int = 16, sigma: float = 0.1, size: int = 4
) -> Arrays:
    """With the defaults of RealMLP, arXiv:2407.04491."""
    shape = X.shape[1], n_frequencies
    return {
        "frequencies": random_state.normal(0, sigma, shape),
        "phases": random_state.uniform(-np.pi, np.pi, shape),
        **_linear(*shape, size, random_state),
    }


def _piecewise_linear(
    X: NDArray[Any], random_state: np.random.RandomState, *, n_bins: int = 16, size: int = 4
) -> Arrays:
    """Bins between quantiles: a feature is 0 below its bin, 1 above it and linear within. Empty bins stay 0."""
    edges = np.quantile(X, np.linspace(0, 1, n_bins + 1), axis=0).T
    widths = np.diff(edges)
    filled = (widths > np.finfo(X.dtype).tiny) & (widths < np.inf)
    frequencies = np.divide(1, widths, where=filled, out=np.zeros_like(widths))
    return {
        "frequencies": frequencies,
        "phases": -frequencies * edges[:, :-1],
        **_linear(X.shape[1], n_bins, size, random_state),
    }


_DRAW: dict[str, Callable[..., Arrays]] = {PERIODIC: _periodic, PIECEWISE_LINEAR: _piecewise_linear}
PARAMETERS: dict[str, dict[str, float]] = {  # name -> parameter -> default
    name: {p.name: p.default for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
    for name, function in _DRAW.items()
}


def _all(values: Iterable[object], types: Any, not_of: Any = ()) -> bool:
    return all(isinstance(one, types) and not isinstance(one, not_of) for one in values)


_positive = real("(0, inf)", lambda value: 0 < value < np.inf)


def _is_pair(value: object) -> TypeGuard[tuple[str, Mapping[str, Any]]]:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and one_of(*PARAMETERS).test(value[0])
        and isinstance(value[1], Mapping)
    )


NUMERIC_EMBEDDING = (
    none | one_of(*PARAMETERS) | Constraint("a pair of such a name and a dict of its parameters", _is_pair)
)
COLUMNS = none | Constraint(
    "a sequence of column numbers, or a mask of booleans",
    lambda value: is_sequence(value) and (_all(value, bool | np.bool_) or _all(value, Integral, not_of=bool)),
)


def resolve(numeric_embedding: Given | None) -> tuple[str | None, dict[str, Any]]:
    """Return the name and the parameters of what the user asks for, or (None, {}).

    Examples
    --------
    >>> resolve(("periodic", {"sigma": 0.5}))
    ('periodic', {'n_frequencies': 16, 'sigma': 0.5, 'size': 4})
    """
    if numeric_embedding is None:
        return None, {}
    name, given = numeric_embedding if isinstance(numeric_embedding, tuple) else (numeric_embedding, {})
    defaults = PARAMETERS[name]
    if unknown := given.keys() - defaults.keys():
        raise InvalidParameterError(
            f"numeric_embedding={numeric_embedding!r} has no parameter {min(unknown, key=str)!r}; {name!r} has: "
            f"{', '.join(defaults)}"
        )
    for parameter, value in given.items():
        low = 2 if parameter == "size" else 1
        high = MAX_EMBEDDING_SIZE if parameter == "size" else np.inf
        whole = isinstance(defaults[parameter], int)
        right = isinstance(value, Integral) and low <= int(value) <= high if whole else _positive.test(value)
        if not right or isinstance(value, bool):
            allowed = f"an int in the range [{low}, {high}]" if whole else _positive.description
            raise InvalidParameterError(
                f"{parameter!r} of numeric_embedding={numeric_embedding!r} must be {allowed}. Got {value!r} instead."
            )
    return name, defaults | dict(given)


def describe() -> str:
    """Return the estimators' documentation of the embeddings."""
    lines: list[str] = []
    for name, row in registry.embeddings.items():
        defaults = ", ".join(f"{parameter}={default:g}" for parameter, default in PARAMETERS[name].items())
        text = f'- "{name}" ({defaults}): {row.summary} {row.reference}.'
        lines += textwrap.wrap(text, 112, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False)
    return "\n".join(lines)


class InputEmbedding:
    """From the columns of X to the inputs of the first layer.

    Numeric columns that are embedded come first, then the plain ones, then the embeddings of categories.

    Attributes
    ----------
    n_features : int
        Columns of X.
    numeric, plain, categorical : ndarray of intp
        The numbers of the columns of numbers that are embedded, of those that are inputs as they are, and of those that hold
        the number of a category.
    n_levels : ndarray of intp
        The number of categories of each categorical column. Any number that is none of them counts as category 0.
    kind : str or None
        The embedding of the numeric columns, if there are some: a row of `pyrelu.registry.embeddings`.
    arrays : dict of str to ndarray
        "frequencies" and "phases" of shape (n_numeric, k), "weights" of (n_numeric, k, size - 1), "biases" of
        (n_numeric, size - 1); "levels", the embeddings of all categories of the first column, then of the next, of shape
        (sum of n_levels, level_size); "scales", a factor for each output. Those that are not needed are missing.
    """

    def __init__(
        self,
        n_features: int,
        numeric: NDArray[np.intp],
        plain: NDArray[np.intp],
        categorical: NDArray[np.intp],
        n_levels: NDArray[np.intp],
        kind: str | None,
        arrays: dict[str, NDArray[Any]],
    ) -> None:
        self.n_features = n_features
        self.numeric = numeric
        self.plain = plain
        self.categorical = categorical
        self.n_levels = n_levels
        self.kind = kind
        self.arrays = arrays

    @property
    def learned(self) -> dict[str, NDArray[Any]]:
        """The arrays that training changes."""
        fixed = () if self.kind is None or registry.embeddings[self.kind].learned else ("frequencies", "phases")
        return {name: array for name, array in self.arrays.items() if name not in fixed}

    @property
    def sizes(self) -> list[int]:
        """The number of inputs of the first layer that each column becomes, in the order of these inputs."""
        size = self.arrays["biases"].shape[1] + 1 if len(self.numeric) else 0
        level_size = self.arrays["levels"].shape[1] if len(self.categorical) else 0
        return [size] * len(self.numeric) + [1] * len(self.plain) + [level_size] * len(self.categorical)

    @property
    def n_outputs(self) -> int:
        """Inputs of the first layer."""
        return sum(self.sizes)

    def replace(self, learned: Iterable[NDArray[Any]], dtype: DTypeLike) -> Self:
        """Return the same with other learned arrays, in this order, and all others in this precision."""
        arrays = {name: np.ascontiguousarray(array, dtype) for name, array in self.arrays.items()}
        arrays |= dict(zip(self.learned, learned, strict=True))
        columns = self.numeric, self.plain, self.categorical
        return type(self)(self.n_features, *columns, self.n_levels, self.kind, arrays)

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the inputs of the first layer, of shape (n_samples, n_outputs), for an array X: for reference."""
        X, arrays = np.asarray(X, float), self.arrays
        parts = []
        for j, column in enumerate(self.numeric):
            assert self.kind is not None
            x = X[:, [column]]
            scope = {"x": x, "w": arrays["frequencies"][j], "b": arrays["phases"][j]}
            features = eval(registry.embeddings[self.kind].formula, vars(np), scope)  # a constant of the table
            parts += [x, features @ arrays["weights"][j] + arrays["biases"][j]]
        parts.append(X[:, self.plain])
        starts = np.cumsum(self.n_levels) - self.n_levels
        for column, start, n in zip(self.categorical, starts, self.n_levels, strict=True):
            x = X[:, column]
            level = np.where((x >= 0) & (x < n) & (x == np.floor(x)), x, 0).astype(np.intp)
            parts.append(arrays["levels"][start + level])
        outputs = np.concatenate(parts, axis=1)
        return outputs * arrays["scales"] if "scales" in arrays else outputs


def draw(mlp: Any, X: Any, random_state: np.random.RandomState) -> InputEmbedding | None:
    """Return the `InputEmbedding` that the estimator's parameters ask for, before training; None if they ask for none.

    Parameters
    ----------
    mlp : estimator
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The training rows.
    random_state : RandomState
    """
    kind, parameters = resolve(mlp.numeric_embedding)
    if kind is None and mlp.categorical_features is None and not mlp.scale_inputs:
        return None
    if not isinstance(X, np.ndarray):
        raise ValueError(
            "numeric_embedding, categorical_features and scale_inputs do not take a sparse X; pass X.toarray()"
        )
    categorical = _column_numbers("categorical_features", mlp.categorical_features, X)
    plain = np.setdiff1d(np.arange(X.shape[1], dtype=np.intp), categorical)
    numeric = plain[:0]
    if kind is not None:
        numeric = (
            plain if mlp.numeric_features is None else _column_numbers("numeric_features", mlp.numeric_features, X)
        )
        if len(both := np.intersect1d(numeric, categorical)):
            raise ValueError(f"column {both[0]} is in numeric_features and in categorical_features")
        plain = np.setdiff1d(plain, numeric)
    cardinalities = mlp._cardinalities
    if cardinalities is None:
        cardinalities = [_n_levels(X[:, column], column) for column in categorical]
    n_levels = np.array(cardinalities, np.intp)
    arrays: Arrays = {}
    if kind is not None and len(numeric):
        arrays |= _DRAW[kind](X[:, numeric], random_state, **parameters)
    if len(categorical):
        arrays["levels"] = random_state.normal(size=(int(n_levels.sum()), mlp.embedding_size))
    embedding = InputEmbedding(
        X.shape[1], numeric, plain, categorical, n_levels, kind if len(numeric) else None, arrays
    )
    if mlp.scale_inputs:
        arrays["scales"] = np.ones(embedding.n_outputs)
    return embedding


def _column_numbers(name: str, given: Sequence[int] | Sequence[bool] | None, X: NDArray[Any]) -> NDArray[np.intp]:
    n_features = X.shape[1]
    if given is None:
        return np.empty(0, np.intp)
    given = list(given)
    if given and all(isinstance(one, bool | np.bool_) for one in given):
        if len(given) != n_features:
            raise ValueError(f"{name} is a mask of {len(given)} columns, but X has {n_features}")
        return np.flatnonzero(given)
    if len({*given}) != len(given) or not all(0 <= one < n_features for one in given):
        raise ValueError(f"{name}={given} must be different numbers in the range [0, {n_features}), the columns of X")
    return np.array(sorted(given), np.intp)


MAX_LEVELS = 10**7  # keeps a column that holds no categories from taking all memory


def _n_levels(x: NDArray[Any], column: int) -> int:
    """Return the number of categories of a column, which holds their numbers from 0."""
    wrong = np.flatnonzero((x < 0) | (x != np.floor(x)) | (x >= MAX_LEVELS))
    if len(wrong):
        raise ValueError(
            f"column {column} of X, which is in categorical_features, must hold numbers of categories, from 0 to "
            f"{MAX_LEVELS - 1}; row {wrong[0]} has {x[wrong[0]]:g}"
        )
    return int(x.max()) + 1
