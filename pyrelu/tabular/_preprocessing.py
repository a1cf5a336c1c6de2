"""From a table to the matrix that a network is trained on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.warn import warn
from pyrelu._text import listed, shortened
from pyrelu._typing import Floats
from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular import _scaling
from pyrelu.tabular._allowed import CONSTRAINTS
from pyrelu.tabular._columns import BOOLEANS, NUMERIC
from pyrelu.tabular._frames import Table

BLOCK = 1 << 20  # cells that are transformed at a time, so that memory beside X and the result stays small
WORDS = {
    "number": "numbers",
    "date": "dates",
    "duration": "durations",
    "boolean": "booleans",
    "category": "categories",
    "missing": "nothing",
}
Chosen = (
    str | Sequence[Any] | NDArray[Any]
)  # `categorical_features`: "from_dtype", or a mask of columns, their positions or names


class Facts(TypedDict):
    """What is known of a column: see `TablePreprocessor.columns_`."""

    name: str
    kind: str
    levels: list[str]
    first: float
    has_zone: bool
    has_gaps: bool
    median: float


FACTS = tuple(Facts.__annotations__)


class TablePreprocessor(TransformerMixin, BaseEstimator):
    """Turn a table into the matrix that a network is trained on.

    Columns of numbers are scaled, categories with few levels become columns of their own, and categories with many levels
    become codes, for an embedding. What a column holds follows from its type:

    =====================================  ==========================================================================
    numbers                                numbers; booleans among them count as 0 and 1
    booleans, also with missing values     a category of two levels
    text, categorical types                a category, also where the texts look like numbers
    dates, with or without a time zone     a number: days since the first date of the fit
    durations                              a number: days
    objects                                what all of its values are; a category where they are of several kinds
    no value at all                        left out
    =====================================  ==========================================================================

    Anything else, such as lists, bytes or complex numbers, is an error that names the column.

    Parameters
    ----------
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        The columns that are categories whatever they hold, such as codes that are numbers: a mask of the columns, their
        positions or their names. All other columns are what their type says, as all are with "from_dtype".
    max_one_hot : int, default=8
        A category with more levels becomes a column of codes. In the range [0, inf).
    numeric : {"robust", "standard", "quantile"}, default="robust"
        How columns of numbers are scaled:

        - "robust": x minus the median, divided by the interquartile range (where that is 0, by half the range), then
          ``x / sqrt(1 + (x / 3)**2)``. The one-hot columns are scaled so as well.
        - "standard": to mean 0 and variance 1.
        - "quantile": to the normal distribution, by at most 1,000 quantiles.
    add_indicator : bool, default=True
        Add a column for each column of numbers in which the fit sees missing values: 1 where one is missing, else 0.
        A missing number itself is replaced by the median. That a number is missing often says something.
    dtype : {"float32", "float64"}, default="float32"
        Of the matrix. All is computed in float64.

    Attributes
    ----------
    columns_ : list of dict
        What is known of each column of the table: its "name" and "kind" ("number", "date", "duration", "boolean",
        "category" or "missing"), the "levels" of a category as texts, the "first" date, in days since 1970-01-01,
        whether dates have a time zone ("has_zone"), whether a column of numbers has missing values ("has_gaps"), and
        the "median" of its numbers.
    scales_ : list of ndarray
        What the scale learned of each column: median and interquartile range, mean and standard deviation, or quantiles.
    n_numeric_ : int
        The number of numeric columns, the first ones of the matrix.
    n_one_hot_ : int
        The number of columns that come next: an indicator for each column of numbers with missing values, then the
        one-hot columns of categories; of a category with two levels, one column of +1 (the first level) and -1. They are 0
        where the value is missing or unknown.
    cardinalities_ : list of int
        The number of codes in each of the last columns: 0 where the value is missing or unknown, then one for each level.
    feature_names_in_ : ndarray of str
        The names of the columns, if they have some.
    n_features_in_ : int
        The number of columns of the table.

    Notes
    -----
    `transform` selects columns by name where the fit has seen names: the order does not matter, and further columns, such
    as the target, are ignored, as in scikit-learn's ColumnTransformer. Levels are known by their texts: 1, 1.0 and "1"
    are the same one. Time zones are converted to UTC.

    Examples
    --------
    >>> import pandas
    >>> from pyrelu.tabular._preprocessing import TablePreprocessor
    >>> X = pandas.DataFrame({"age": [20, 30, None], "city": ["Rome", "Oslo", "Rome"]})
    >>> preprocessor = TablePreprocessor(numeric="standard").set_output(transform="pandas")
    >>> preprocessor.fit_transform(X)
       age  missingindicator_age  city_Oslo
    0 -1.0                   0.0       -1.0
    1  1.0                   0.0        1.0
    2  0.0                   1.0       -1.0
    """

    def __init__(
        self,
        *,
        categorical_features: Chosen = "from_dtype",
        max_one_hot: int = 8,
        numeric: str = "robust",
        add_indicator: bool = True,
        dtype: str = "float32",
    ) -> None:
        self.categorical_features = categorical_features
        self.max_one_hot = max_one_hot
        self.numeric = numeric
        self.add_indicator = add_indicator
        self.dtype = dtype

    # ---- fit ----

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn kinds, levels, medians and scales of the columns.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            Missing are None, NaN, NaT, pandas.NA and null. Lists of rows and arrays of objects may mix types.
        y : None
            Ignored.

        Returns
        -------
        TablePreprocessor
            Itself.

        Raises
        ------
        ValueError
            A column holds an infinite number, or something that a table may not hold, or its name is there twice.
        """
        check_parameters(self, CONSTRAINTS)
        table = Table(X)
        chosen = chosen_columns(self.categorical_features, table)
        columns, scales, one_hot_scales = [], [], []
        for i in range(table.n_columns):
            facts, values = _learn(table, i, i in chosen)
            columns.append(facts)
            if values is not None:
                scales.append(_scaling.learn(self.numeric, values[~np.isnan(values)]))
        if _scaling.scales_one_hot(self.numeric):
            one_hot_scales = self._one_hot_scales(table, columns)
        self._set_learned(columns, scales + one_hot_scales, table.names)
        return self

    def _set_learned(
        self, columns: list[Facts], scales: list[NDArray[np.float64]], names: Sequence[str] | None
    ) -> None:
        """Set the fitted attributes; `names` are those of the columns, or None."""
        self.columns_, self.scales_ = columns, scales
        self.n_features_in_ = len(columns)
        if names:
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _one_hot_scales(self, table: Table, columns: Sequence[Facts]) -> list[NDArray[np.float64]]:
        """Return what the scale learns of the one-hot columns."""
        scales = []
        for i, expansion in self._expansions(columns):
            codes = _codes(table, i, columns[i])
            scales += [_scaling.learn(self.numeric, of_level[codes]) for of_level in expansion.T]
        return scales

    # ---- layout ----

    def _expansions(self, columns: Sequence[Facts]) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield the columns of the one-hot block: position, and the array of the block's rows for each code."""
        for i, facts in enumerate(columns):
            if self._has_indicator(facts):
                yield i, np.array([[0.0], [1.0]])
        for i, facts in enumerate(columns):
            n = len(facts["levels"])
            if is_category(facts) and n <= self.max_one_hot:
                yield i, np.array([[0.0], [1.0], [-1.0]]) if n == 2 else np.eye(n + 1)[:, 1:]

    def _has_indicator(self, facts: Facts) -> bool:
        return self.add_indicator and facts["has_gaps"]

    def _numeric(self) -> list[int]:
        return [i for i, facts in enumerate(self._columns()) if facts["kind"] in NUMERIC]

    def _coded(self) -> list[int]:
        return [i for i, f in enumerate(self._columns()) if is_category(f) and len(f["levels"]) > self.max_one_hot]

    def _columns(self) -> list[Facts]:
        check_is_fitted(self)
        return self.columns_

    @property
    def n_numeric_(self) -> int:
        """The number of numeric columns of the matrix."""
        return len(self._numeric())

    @property
    def n_one_hot_(self) -> int:
        """The number of one-hot columns of the matrix, indicators included."""
        return sum(expansion.shape[1] for _, expansion in self._expansions(self._columns()))

    @property
    def cardinalities_(self) -> list[int]:
        """The number of codes in each column of codes."""
        return [len(self.columns_[i]["levels"]) + 1 for i in self._coded()]

    def get_feature_names_out(self, input_features: Iterable[str] | None = None) -> NDArray[np.object_]:
        """Return the names of the matrix's columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the table's columns, where the fit has seen none; else the same ones as in the fit.

        Returns
        -------
        ndarray of str
        """
        names = [facts["name"] for facts in self._columns()]
        if input_features is not None:
            input_features = list(input_features)
            if hasattr(self, "feature_names_in_") and input_features != names:
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(input_features) != len(names):
                raise ValueError(
                    f"input_features should have length equal to number of features ({len(names)}), "
                    f"got {len(input_features)}"
                )
            names = input_features
        out = [names[i] for i in self._numeric()]
        for i, expansion in self._expansions(self.columns_):
            levels = self.columns_[i]["levels"][: expansion.shape[1]]
            out += [f"{names[i]}_{level}" for level in levels] or [f"missingindicator_{names[i]}"]
        return np.array(out + [names[i] for i in self._coded()], dtype=object)

    # ---- transform ----

    def transform(self, X: Any) -> Any:
        """Return the matrix of a table.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            With `n_numeric_`, `n_one_hot_` and ``len(cardinalities_)`` columns; or a DataFrame, after `set_output`.

        Raises
        ------
        ValueError
            A column of the fit is not there, holds something else than it held in the fit, or has an infinite number.
        """
        return self._matrix(X)

    def _matrix(self, X: Any) -> Floats:
        """Return what `transform` returns, as an array whatever `set_output` says."""
        n_rows, blocks = self._blocks(X)
        start = 0
        for block in blocks:
            if start == 0:
                if len(block) == n_rows:
                    return block
                out = np.empty((n_rows, block.shape[1]), dtype=block.dtype)
            out[start : start + len(block)] = block
            start += len(block)
        return out

    def _blocks(self, X: Any) -> tuple[int, Iterator[Floats]]:
        """Return the number of rows of a table, and an iterator over its matrix in blocks of rows."""
        columns = self._columns()
        table = Table(X)
        positions = self._positions(table)
        numeric, coded, expansions = self._numeric(), self._coded(), list(self._expansions(columns))
        tables = self._scaled([expansion for _, expansion in expansions])
        n = len(numeric)
        width = n + sum(t.shape[1] for t in tables) + len(coded)
        step = max(1, BLOCK // max(table.n_columns, width))

        def block_of(rows: slice) -> Floats:
            block = np.empty((rows.stop - rows.start, width), dtype=self.dtype)
            matrix = np.empty((len(block), n))
            gaps = {}
            for k, i in enumerate(numeric):
                matrix[:, k] = _numbers(table, positions[i], columns[i], rows)
                gaps[i] = np.isnan(matrix[:, k])
                matrix[gaps[i], k] = columns[i]["median"]
            block[:, :n] = self._within(_scaling.apply(self.numeric, matrix, self.scales_[:n]))
            k = n
            for (i, _), values in zip(expansions, tables, strict=True):
                codes = gaps[i].astype(int) if i in gaps else _codes(table, positions[i], columns[i], rows)
                block[:, k : k + values.shape[1]] = values[codes]
                k += values.shape[1]
            for i in coded:
                block[:, k] = _codes(table, positions[i], columns[i], rows)
                k += 1
            return block

        starts = range(0, table.n_rows, step)
        return table.n_rows, (block_of(slice(start, min(start + step, table.n_rows))) for start in starts)

    def _scaled(self, expansions: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Return the arrays of rows for each code as they enter the matrix."""
        learned = self.scales_[self.n_numeric_ :]
        if not learned:
            return expansions
        scaled, k = [], 0
        for expansion in expansions:
            of_columns = learned[k : k + expansion.shape[1]]
            scaled.append(_scaling.apply(self.numeric, expansion, of_columns))
            k += expansion.shape[1]
        return scaled

    def _within(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        largest = np.finfo(self.dtype).max
        return np.clip(matrix, -largest, largest)

    def _positions(self, table: Table) -> Sequence[int]:
        """Return where in a table the columns of the fit are."""
        known = getattr(self, "feature_names_in_", None)
        if known is not None and table.names is not None:
            at = {name: i for i, name in enumerate(table.names)}
            if absent := [name for name in known if name not in at]:
                what = "column" if len(absent) == 1 else "columns"
                raise ValueError(
                    f"X lacks the {what} {listed(absent)}, which the fit has seen; X has {listed(table.names)}"
                )
            return [at[name] for name in known]
        if table.n_columns != self.n_features_in_:
            raise ValueError(
                f"X has {table.n_columns} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input."
            )
        if (known is None) != (table.names is None):
            name = type(self).__name__
            warn(
                f"X has feature names, but {name} was fitted without feature names"
                if known is None
                else f"X does not have valid feature names, but {name} was fitted with feature names"
            )
        return range(table.n_columns)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = [str(self.dtype)]
        return tags


def is_category(facts: Mapping[str, object]) -> bool:
    return facts["kind"] in ("boolean", "category")


# ---- columns ----


def chosen_columns(categorical_features: Chosen, table: Table) -> set[int]:
    """Return the positions of the columns that are to be categories whatever they hold."""
    if isinstance(categorical_features, str):  # "from_dtype"
        return set()
    items = list(categorical_features)
    said = f"The 'categorical_features' parameter of TablePreprocessor names {{}}, and X has {table.n_columns} columns"
    if all(isinstance(item, bool | np.bool_) for item in items) and items:
        if len(items) != table.n_columns:
            raise InvalidParameterError(said.format(f"{len(items)} columns in a mask"))
        return set(np.flatnonzero(items).tolist())
    chosen = set()
    for item in items:
        if isinstance(item, str):
            if table.names is None or item not in table.names:
                has = f": {listed(table.names)}" if table.names else " without names"
                raise InvalidParameterError(said.format(shortened(item)) + has)
            chosen.add(table.names.index(item))
        else:
            if not -table.n_columns <= item < table.n_columns:
                raise InvalidParameterError(said.format(f"column {item}"))
            chosen.add(int(item) % table.n_columns)
    return chosen


def _learn(table: Table, i: int, is_category: bool) -> tuple[Facts, NDArray[np.float64] | None]:
    """Return the facts of a column, and its numbers where it is one of numbers."""
    column = table.column(i)
    facts = Facts(
        name=table.names[i] if table.names else f"x{i}",
        kind=column.kind,
        levels=[],
        first=0.0,
        has_zone=False,
        has_gaps=False,
        median=0.0,
    )
    if column.kind == "missing":
        return facts, None
    if is_category or column.kind not in NUMERIC:
        codes, texts = column.as_levels()
        facts["kind"] = "boolean" if column.kind == "boolean" else "category"
        used = np.unique(codes[codes >= 0])
        facts["levels"] = [*BOOLEANS] if column.kind == "boolean" else sorted(texts[code] for code in used)
        return facts, None
    numbers = column.numbers
    assert numbers is not None  # as columns of these kinds have them
    check_finite(table, i, numbers)
    if column.kind == "date":
        facts["first"], facts["has_zone"] = float(np.nanmin(numbers)), column.has_zone
        numbers = numbers - facts["first"]
    gaps = np.isnan(numbers)
    facts["has_gaps"] = bool(gaps.any())
    with np.errstate(over="ignore"):
        facts["median"] = float(np.quantile(numbers[~gaps], 0.5))
    return facts, numbers


def check_finite(table: Table, i: int, numbers: NDArray[np.float64], start: int = 0) -> None:
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        row = infinite[0]
        raise ValueError(
            f"X has infinite values: column {table.name(i)} holds {numbers[row]} in row {start + row}. "
            "Replace them, or set them to NaN where they stand for missing ones"
        )


def _numbers(table: Table, i: int, facts: Facts, rows: slice) -> NDArray[np.float64]:
    """Return the numbers of a column that held numbers in the fit."""
    column = table.column(i, rows)
    kind = facts["kind"]
    if column.kind == "missing":
        return np.full(len(column.known()), np.nan)
    if kind == "number" and column.codes is not None and column.kind == "boolean":
        return np.where(column.codes < 0, np.nan, column.codes)
    if column.kind != kind:
        row = column.first_row(numbers=True)
        raise ValueError(
            f"Column {table.name(i)} held {WORDS[kind]} in the fit, and now holds {WORDS[column.kind]} (dtype {column.dtype}): "
            f"{shortened_text(column.holds(row))} in row {rows.start + row}"
        )
    if kind == "date" and column.has_zone != facts["has_zone"]:
        now, then = ("has", "had none") if column.has_zone else ("has no", "had one")
        raise ValueError(
            f"Column {table.name(i)} {now} time zone (dtype {column.dtype}), and {then} in the fit; the times would not agree"
        )
    assert column.numbers is not None
    check_finite(table, i, column.numbers, rows.start)
    return column.numbers - facts["first"] if kind == "date" else column.numbers


def _codes(table: Table, i: int, facts: Facts, rows: slice = slice(None)) -> NDArray[np.intp]:
    """Return the codes of a column: 0 where missing or unknown, then one for each level; 1 where a number is missing."""
    column = table.column(i, rows)
    if facts["kind"] in NUMERIC:
        return (~column.known()).astype(int)
    codes, texts = column.as_levels()
    if facts["kind"] == "boolean" and column.kind == "number":
        texts = [dict(zip(("0", "1"), BOOLEANS)).get(text, text) for text in texts]
    index = {level: code for code, level in enumerate(facts["levels"], 1)}
    return np.array([*(index.get(text, 0) for text in texts), 0])[codes]


def shortened_text(text: str) -> str:
    """Return what a message says of a value that is already written as Python writes it."""
    return text if len(text) <= 42 else f"{text[:40]}..."
