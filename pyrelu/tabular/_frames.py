"""Tables in the containers that people have them in, read column by column without importing what made them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from pyrelu._text import listed
from pyrelu.tabular import _columns
from pyrelu.tabular._columns import Column, UnsupportedColumn

if TYPE_CHECKING:
    import polars

Reader = Callable[[Any, int, slice], Column]  # of a container, the position of a column, and the rows to read


class Table:
    """A table: rows by position, columns by position and, where they have any, by name.

    Parameters
    ----------
    X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)

    Attributes
    ----------
    n_rows, n_columns : int
    names : list of str or None
        None where not all are texts, as the numbers that pandas counts columns by.
    """

    def __init__(self, X: Any) -> None:
        self._frame, self._read = _reader(X)
        self.n_rows, self.n_columns = self._frame.shape
        self.names = _names(self._frame, self._read)
        for what, n in (("sample", self.n_rows), ("feature", self.n_columns)):
            if n < 1:
                raise ValueError(
                    f"Found array with 0 {what}(s) (shape={self._frame.shape}) while a minimum of 1 is required."
                )

    def name(self, i: int) -> str:
        """Return what messages call a column."""
        return repr(self.names[i]) if self.names else str(i)

    def column(self, i: int, rows: slice = slice(None)) -> Column:
        """Return the Column of some of the rows.

        Raises
        ------
        ValueError
            Where a table may not have such a column; the message names it.
        """
        try:
            return self._read(self._frame, i, rows)
        except UnsupportedColumn as error:
            raise ValueError(error.message(self.name(i), rows.start or 0)) from None


def _is(X: Any, package: str, *names: str) -> bool:
    """Tell whether X is of one of these classes, of a package that is imported, as it is where X comes from it."""
    module = sys.modules.get(package)
    return module is not None and isinstance(X, tuple(c for name in names if (c := getattr(module, name, None))))


def _reader(X: Any) -> tuple[Any, Reader]:
    """Return what has the columns, and the function that reads them."""
    if _is(X, "pandas", "DataFrame"):
        return X, _of_pandas
    if _is(X, "polars", "LazyFrame"):
        raise TypeError("X is a LazyFrame, whose rows are not there yet; pass X.collect()")
    if _is(X, "polars", "DataFrame"):
        return X, _of_polars
    if _is(X, "pyarrow", "Table", "RecordBatch"):
        return X, _of_arrow
    if isinstance(X, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(X)
        X = X.data.astype(object)
        X[masked] = None
    elif isinstance(X, list | tuple):
        X = _of_lists(X)
    # All but the types: those are checked by column, so that messages name it.
    X = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0, ensure_min_features=0)
    return X, _of_numpy


def _of_lists(rows: Sequence[Any]) -> NDArray[np.object_]:
    """Return rows as an array of objects: NumPy would make texts of numbers beside texts."""
    try:
        X = np.array(rows, dtype=object)
    except ValueError:
        X = np.empty(len(rows), dtype=object)
        X[:] = rows
    if X.ndim == 1 and len(X) and all(isinstance(row, list | tuple | np.ndarray) for row in X):
        lengths = [len(row) for row in X]
        i = next(i for i, length in enumerate(lengths) if length != lengths[0])
        raise ValueError(f"The rows of X have different lengths: row 0 has {lengths[0]}, row {i} {lengths[i]}")
    return X


def _names(frame: Any, read: Reader) -> list[str] | None:
    if read is _of_numpy:
        return None
    names = list(frame.schema.names if read is _of_arrow else frame.columns)
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise ValueError(f"X has more than one column named {listed(twice)}; the names of columns must be unique")
    texts = [isinstance(name, str) for name in names]
    if any(texts) and not all(texts):
        raise TypeError(
            f"The names of X's columns must all be texts, or all numbers; {names[texts.index(False)]!r} and "
            f"{names[texts.index(True)]!r} are mixed. Convert them: X.columns = X.columns.astype(str)"
        )
    return [str.__str__(name) for name in names] if texts and all(texts) else None


# ---- columns of each container ----


def _of_numpy(X: NDArray[Any], i: int, rows: slice) -> Column:
    return _columns.of_array(X[rows, i])


def _of_pandas(X: Any, i: int, rows: slice) -> Column:
    column = X.iloc[rows, i]
    dtype, name = column.dtype, str(column.dtype)
    if isinstance(dtype, np.dtype):
        return _columns.of_array(column.to_numpy(), name)
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return _columns.of_codes(column.cat.codes.to_numpy(), dtype.categories.tolist(), "category")
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow

        return _of_arrow_array(pyarrow.chunked_array([pyarrow.array(column.array)]), name)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _columns.of_dates(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), name, has_zone=True)
    if isinstance(dtype, pd.SparseDtype):
        return _columns.of_array(np.asarray(column), name)
    if isinstance(dtype, pd.BooleanDtype):
        return _columns.of_maybe_booleans(column.to_numpy(dtype=float, na_value=np.nan), name)
    if isinstance(dtype, pd.StringDtype):
        codes, values = pd.factorize(column)
        return _columns.of_codes(codes, values.tolist(), name)
    if dtype.kind in "iuf" and hasattr(dtype, "numpy_dtype"):  # pandas' nullable numbers
        missing = column.isna().to_numpy()
        return _columns.of_array(column.fillna(0).to_numpy(dtype=dtype.numpy_dtype), name, missing)
    raise UnsupportedColumn(name)


def _of_polars(X: polars.DataFrame, i: int, rows: slice) -> Column:
    import polars as pl

    column = X.to_series(i)[rows]
    dtype, name = column.dtype, str(column.dtype)
    if dtype == pl.Null:
        return _columns.of_objects([None] * len(column), name)
    if dtype.is_integer():
        return _columns.of_array(column.fill_null(0).to_numpy(), name, column.is_null().to_numpy())
    if dtype.is_numeric():
        return _columns.of_array(column.cast(pl.Float64).to_numpy(), name)
    if dtype == pl.Boolean:
        return _columns.of_maybe_booleans(column.cast(pl.Float64).to_numpy(), name)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return _columns.of_objects(column.cast(pl.String).to_list(), name)
    if dtype == pl.Date:
        return _columns.of_dates(column.to_numpy(), name)
    if isinstance(dtype, pl.Datetime):
        zone = dtype.time_zone
        if zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return _columns.of_dates(column.to_numpy(), name, zone is not None)
    if dtype == pl.Duration:
        return _columns.of_array(column.to_numpy(), name)
    if dtype == pl.Object:
        return _columns.of_objects(column.to_list(), name)
    raise UnsupportedColumn(name)


def _of_arrow(X: Any, i: int, rows: slice) -> Column:
    import pyarrow

    start, stop, _ = rows.indices(X.num_rows)
    column = X.column(i).slice(start, stop - start)
    if isinstance(column, pyarrow.Array):
        column = pyarrow.chunked_array([column])
    return _of_arrow_array(column, str(column.type))


def _of_arrow_array(column: Any, name: str) -> Column:
    import pyarrow
    from pyarrow import types

    of = column.type
    if types.is_null(of):
        return _columns.of_objects([None] * len(column), name)
    if types.is_boolean(of):
        return _columns.of_maybe_booleans(_floats(column.cast(pyarrow.int8())), name)
    if types.is_integer(of):
        return _columns.of_array(column.fill_null(0).to_numpy(), name, column.is_null().to_numpy())
    if types.is_floating(of) or types.is_decimal(of):
        return _columns.of_array(_floats(column), name)
    if types.is_date(of):
        return _columns.of_dates(column.cast(pyarrow.date32()).to_numpy().astype("datetime64[D]"), name)
    if types.is_timestamp(of):
        dates = column.cast(pyarrow.int64()).cast(pyarrow.timestamp(of.unit))
        return _columns.of_dates(dates.to_numpy().astype(f"datetime64[{of.unit}]"), name, of.tz is not None)
    if types.is_duration(of):
        return _columns.of_array(column.to_numpy().astype(f"timedelta64[{of.unit}]"), name)
    if types.is_string(of) or types.is_large_string(of) or types.is_string_view(of):
        column = column.cast(pyarrow.large_string()).dictionary_encode()
    if types.is_dictionary(column.type):
        column = column.unify_dictionaries().combine_chunks()
        if isinstance(column, pyarrow.ChunkedArray):
            column = column.chunk(0) if column.num_chunks else pyarrow.array([], column.type)
        values = column.dictionary.to_pylist()
        _columns.of_objects(values, name)  # raises where a table may not hold them
        return _columns.of_codes(np.asarray(column.indices.fill_null(-1)), values, name)
    raise UnsupportedColumn(name)


def _floats(column: Any) -> NDArray[np.float64]:
    import pyarrow

    return np.asarray(column.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=float)
