"""Tables of columns of every kind, in every container, and the matrices that they become."""

import datetime

import numpy as np
import pandas
from helpers import rng

from pyrelu.tabular._preprocessing import TablePreprocessor

DAY = datetime.timedelta(days=1)
N = 60


def matrix(X, **parameters):
    return TablePreprocessor(dtype="float64", **parameters).fit_transform(X)


def only(values, **parameters):
    """The matrix of a table with one column."""
    return matrix(pandas.DataFrame({"x": values}), **parameters)


def everything():
    """A table with a column of each kind, values missing in all of them."""
    random = rng(0)
    frame = pandas.DataFrame(
        {
            "number": random.normal(size=N),
            "whole": pandas.array(random.integers(0, 9, N), dtype="Int64"),
            "flag": pandas.array(random.random(N) < 0.3, dtype="boolean"),
            "text": random.choice(["a", "b", "c"], N),
            "many": [f"level {i % 20}" for i in range(N)],
            "when": pandas.date_range("2020-02-28", periods=N, freq="7h"),
            "zoned": pandas.date_range("2020-03-28", periods=N, freq="h", tz="Europe/Rome"),
            "lasts": pandas.to_timedelta(random.random(N).round(6), unit="D"),
            "nothing": np.full(N, np.nan),
            "constant": np.ones(N),
        }
    )
    for i, name in enumerate(frame.columns[:-1]):
        frame.loc[i, name] = None
    return frame


def containers():
    """The same table in all containers."""
    frame = everything()
    yield "pandas", frame
    yield "pandas' nullable types", frame.convert_dtypes()
    yield "pandas' objects", frame.astype(object)
    rows = [[None if value is pandas.NA else value for value in row] for row in frame.astype(object).to_numpy()]
    yield "rows", rows
    yield "array of objects", np.array(rows, dtype=object)
    yield "pandas' categories", frame.assign(text=frame.text.astype("category"), many=frame.many.astype("category"))
    try:
        import pyarrow

        yield "pyarrow", pyarrow.table(frame)
        yield "pyarrow, in chunks", pyarrow.concat_tables([pyarrow.table(frame[:7]), pyarrow.table(frame[7:])])
        yield "pyarrow's record batch", pyarrow.RecordBatch.from_pandas(frame)
        yield "pandas on pyarrow", frame.convert_dtypes(dtype_backend="pyarrow")
        text = pyarrow.array(frame.text.astype(object), from_pandas=True).dictionary_encode()
        yield "pyarrow's dictionary", pyarrow.table(frame).set_column(3, "text", text)
    except ImportError:
        pass
    try:
        import polars
    except ImportError:
        return
    columns = {name: [None if pandas.isna(v) else v for v in frame[name].astype(object)] for name in frame}
    of_polars = polars.DataFrame(columns | {name: frame[name].to_numpy() for name in ("when", "lasts")})
    yield "polars", of_polars
    yield "polars' categories", of_polars.with_columns(polars.col("text", "many").cast(polars.Categorical))
