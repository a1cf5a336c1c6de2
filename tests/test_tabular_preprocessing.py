"""Tables of any kind become the matrix that a network is trained on; each kind of hostile column has its test here."""

import copy
import datetime
import decimal
import pickle
import subprocess
import sys

import numpy as np
import pandas
import pytest
from helpers import rng
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from pyrelu._storage import files
from pyrelu.exceptions import InvalidFileError, InvalidParameterError
from pyrelu.tabular import _preprocessing, _scaling
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


# ---- layout and scale ----


@pytest.mark.parametrize("numeric", _scaling.SCALES)
def test_every_container_gives_the_same_matrix(numeric):
    frame = everything()
    expected = TablePreprocessor(numeric=numeric).fit(frame)
    for name, X in containers():
        preprocessor = TablePreprocessor(numeric=numeric).fit(X)
        for facts, known in zip(preprocessor.columns_, expected.columns_, strict=True):
            for key in facts.keys() - {"name"}:
                near = pytest.approx(known[key], rel=1e-12) if type(known[key]) is float else known[key]
                assert facts[key] == near, (name, known["name"], key)
        np.testing.assert_allclose(preprocessor.transform(X), expected.transform(frame), atol=1e-6, err_msg=name)
        if getattr(preprocessor, "feature_names_in_", None) is not None:
            np.testing.assert_allclose(expected.transform(X), expected.transform(frame), atol=1e-6, err_msg=name)


def test_layout():
    preprocessor = TablePreprocessor().fit(everything())
    kinds = ["number", "number", "boolean", "category", "category", "date", "date", "duration", "missing", "number"]
    assert [facts["kind"] for facts in preprocessor.columns_] == kinds
    numeric = ["number", "whole", "when", "zoned", "lasts", "constant"]
    indicators = [f"missingindicator_{name}" for name in numeric[:-1]]
    names = [*numeric, *indicators, "flag_False", "text_a", "text_b", "text_c", "many"]
    assert preprocessor.get_feature_names_out().tolist() == names
    assert (preprocessor.n_numeric_, preprocessor.n_one_hot_, preprocessor.cardinalities_) == (6, 9, [21])
    out = preprocessor.transform(everything())
    assert out.dtype == np.float32 and out.shape == (N, len(names)) and np.isfinite(out).all()
    levels = sorted({f"level {i}" for i in range(20)})
    codes = [0 if i == 4 else 1 + levels.index(f"level {i % 20}") for i in range(N)]
    assert out[:, -1].tolist() == codes


def smooth_clipped(x):
    """The formula of the robust scale, with more bits."""
    x = np.asarray(x, dtype=np.longdouble)
    low, center, high = (np.quantile(x, q) for q in (0.25, 0.5, 0.75))
    width = high - low if high > low else (x.max() - x.min()) / 2
    z = (x - center) / width if width else np.zeros_like(x)
    return z / np.sqrt(1 + (z / 3) ** 2)


@pytest.mark.parametrize(
    "x",
    [
        rng(1).normal(size=501),
        np.exp(rng(2).normal(size=500) * 5),
        [0.0] * 90 + [*range(10)],  # no interquartile range: half the range
        [5.0] * 9 + [7.0],
        [3.0] * 20,  # nothing varies
        np.arange(7) * 1e-300,
        np.arange(7) * 1e300,
        [1, 2],
        [4],
    ],
)
def test_the_robust_scale_is_its_formula(x):
    np.testing.assert_allclose(only(x)[:, 0], smooth_clipped(x).astype(float), rtol=4e-15, atol=2e-15)


def test_one_hot_columns_are_scaled_as_numbers_are():
    values = rng(3).choice(["a", "b", "c", "d"], 200, p=[0.5, 0.3, 0.15, 0.05])
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(values[:, np.newaxis])
    expected = np.column_stack([smooth_clipped(column) for column in one_hot.T]).astype(float)
    np.testing.assert_allclose(only(values), expected, atol=1e-15)


def test_a_category_of_two_levels_is_one_column():
    out = only(["a", "b", "b", None], numeric="standard")
    assert out.tolist() == [[1], [-1], [-1], [0]]
    assert only([True, False, True], numeric="standard").tolist() == [[-1], [1], [-1]]
    expected = smooth_clipped([1, -1, -1, 0])
    np.testing.assert_allclose(only(["a", "b", "b", None])[:, 0], expected.astype(float), atol=1e-15)


def test_standard_and_quantile_are_those_of_scikit_learn():
    X = rng(4).normal(size=(300, 3)) ** 3
    np.testing.assert_allclose(matrix(X, numeric="standard"), StandardScaler().fit_transform(X), atol=1e-12)
    scaler = QuantileTransformer(n_quantiles=300, output_distribution="normal")
    np.testing.assert_array_equal(matrix(X, numeric="quantile"), scaler.fit_transform(X))


@pytest.mark.parametrize("n, codes", [(8, []), (9, [10])])
def test_a_category_with_more_levels_than_max_one_hot_becomes_codes(n, codes):
    X = pandas.DataFrame({"x": [f"{i}" for i in range(n)]})
    preprocessor = TablePreprocessor().fit(X)
    assert (preprocessor.n_one_hot_, preprocessor.cardinalities_) == (0 if codes else n, codes)
    assert TablePreprocessor(max_one_hot=0).fit(X).cardinalities_ == [n + 1]
    if codes:
        assert preprocessor.transform(X).ravel().tolist() == [*range(1, n + 1)]


def test_indicators_are_there_where_numbers_were_missing():
    X = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 7.0]])
    assert matrix(X).shape == (3, 3) and matrix(X, add_indicator=False).shape == (3, 2)
    preprocessor = TablePreprocessor(numeric="standard").fit(X)
    assert preprocessor.transform(X)[:, 2].tolist() == [1, 0, 0]
    assert preprocessor.transform([[np.nan, 1.0]])[0].tolist() == [0, -5, 0]  # none for the first column: its median


def test_blocks_of_rows_give_the_same_bits(monkeypatch):
    tables = dict(containers())
    whole = {name: matrix(X) for name, X in tables.items()}
    monkeypatch.setattr(_preprocessing, "BLOCK", 7 * everything().shape[1])
    for name, X in tables.items():
        np.testing.assert_array_equal(matrix(X), whole[name], err_msg=name)
    X = everything()
    with pytest.raises(ValueError, match="column 'number' holds inf in row 30"):
        TablePreprocessor().fit(X).transform(X.assign(number=np.where(np.arange(N) == 30, np.inf, 0)))
    with pytest.raises(ValueError, match="column 'many' of dtype object holds a value of type set in row 30"):
        TablePreprocessor().fit(X).transform(X.assign(many=[{i} if i == 30 else "a" for i in range(N)]))
    with pytest.raises(ValueError, match="'number' held numbers in the fit, .*: 'x' in row 30"):
        TablePreprocessor().fit(X).transform(X.assign(number=np.where(np.arange(N) == 30, "x", None)))


# ---- hostile columns ----


@pytest.mark.parametrize("missing", [None, np.nan, pandas.NA, pandas.NaT, np.float32("nan"), decimal.Decimal("nan")])
@pytest.mark.parametrize("value", [1.5, True, "a", datetime.date(2020, 1, 1), DAY])
def test_all_that_stands_for_missing(value, missing):
    column = pandas.Series([value, missing, value], dtype=object)
    expected = only([value, None, value])
    for X in (pandas.DataFrame({"x": column}), column.to_frame().to_numpy(), [[v] for v in column]):
        np.testing.assert_array_equal(matrix(X), expected)
    assert not np.array_equal(expected[0], expected[1])


def test_not_a_time():
    dates = np.array(["2020-01-01", "NaT", "2020-01-03"], dtype="M8[D]")
    for values in (dates, dates - dates[0]):
        out = only(values, numeric="standard")
        assert out.tolist() == [[-1, 0], [0, 1], [1, 0]]


def test_unknown_categories_are_zeros():
    X = pandas.DataFrame({"few": ["a", "b", "c"] * 4, "two": ["a", "b"] * 6, "many": [*"abcdefghijkl"]})
    preprocessor = TablePreprocessor(numeric="standard").fit(X)
    unknown = pandas.DataFrame({"few": ["z", None], "two": ["z", None], "many": ["z", None]})
    assert not preprocessor.transform(unknown).any()
    robust = TablePreprocessor().fit(X)
    assert np.array_equal(*robust.transform(unknown)) and np.isfinite(robust.transform(unknown)).all()


def test_columns_are_found_by_name():
    X = everything()
    preprocessor = TablePreprocessor().fit(X)
    shuffled = X[X.columns[::-1]].assign(target=1)
    np.testing.assert_array_equal(preprocessor.transform(shuffled), preprocessor.transform(X))
    with pytest.raises(ValueError, match="X lacks the columns 'flag', 'text', which the fit has seen; X has 'number'"):
        preprocessor.transform(X.drop(columns=["flag", "text"]))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but TablePreprocessor was fitted with"):
        preprocessor.transform(X.astype(object).to_numpy())
    with pytest.raises(ValueError, match="X has 3 features, but TablePreprocessor is expecting 10 features as input"):
        preprocessor.transform(X.astype(object).to_numpy()[:, :3])


def test_names_that_occur_twice_or_are_mixed():
    X = pandas.DataFrame(np.ones((2, 3)), columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="more than one column named 'a'"):
        TablePreprocessor().fit(X)
    with pytest.raises(TypeError, match="must all be texts, or all numbers; 1 and 'a' are mixed"):
        TablePreprocessor().fit(X.set_axis(["a", 1, 2], axis=1))
    assert not hasattr(TablePreprocessor().fit(X.set_axis([0, 1, 2], axis=1)), "feature_names_in_")


@pytest.mark.parametrize("numeric", _scaling.SCALES)
@pytest.mark.parametrize("value", [7.0, -1e300, "a", True, datetime.date(2020, 1, 1)])
def test_constant_columns(value, numeric):
    X = pandas.DataFrame({"x": [value] * 9, "y": range(9)})
    preprocessor = TablePreprocessor(numeric=numeric).fit(X)
    out = preprocessor.transform(X)
    assert np.isfinite(out).all() and (out[:, preprocessor.get_feature_names_out() != "y"].std(axis=0) == 0).all()


@pytest.mark.parametrize("values", [[None] * 3, [np.nan] * 3, pandas.Categorical([None] * 3), [pandas.NaT] * 3])
def test_a_column_without_any_value_is_left_out(values):
    X = pandas.DataFrame({"x": values, "y": [1.0, 2.0, 3.0]})
    preprocessor = TablePreprocessor().fit(X)
    assert preprocessor.get_feature_names_out().tolist() == ["y"]
    later = X.assign(x=["something", "has", "come"])
    np.testing.assert_array_equal(preprocessor.transform(later), preprocessor.transform(X))
    assert only(values).shape == (3, 0)


def test_a_column_that_is_all_missing_at_prediction():
    X = everything()
    preprocessor = TablePreprocessor().fit(X)
    for name in X:
        assert np.isfinite(preprocessor.transform(X.assign(**{name: None}))).all()


def test_ten_thousand_categories():
    levels = np.array([f"level {i:05}" for i in range(10_000)], dtype=object)
    values = np.concatenate([levels, rng(5).choice(levels, 40_000)])
    preprocessor = TablePreprocessor().fit(pandas.DataFrame({"x": values}))
    assert preprocessor.cardinalities_ == [10_001]
    codes = preprocessor.transform(pandas.DataFrame({"x": values}))[:, 0]
    np.testing.assert_array_equal(levels[codes.astype(int) - 1], values)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values(value):
    X = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, value]})
    for table in (X, X.astype("Float64"), X.astype(object)):
        with pytest.raises(ValueError, match=f"infinite values: column 'b' holds {value} in row 2"):
            TablePreprocessor().fit(table)
        with pytest.raises(ValueError, match=f"infinite values: column 'b' holds {value} in row 2"):
            TablePreprocessor().fit(X[:2]).transform(table)
    with pytest.raises(ValueError, match=f"infinite values: column 1 holds {value} in row 2"):
        TablePreprocessor().fit(X.to_numpy())
    with pytest.raises(ValueError, match="infinite values: column 'x' holds inf in row 0"):
        only([10**400, 1])


@pytest.mark.parametrize("numeric", _scaling.SCALES)
def test_large_and_small_numbers_stay_finite(numeric):
    for size in (1e-310, 1e-300, 1e38, 1e154, 1e308):
        x = np.array([-1.0, 0.0, 0.5, 1.0, 1.5]) * size
        preprocessor = TablePreprocessor(numeric=numeric).fit(x[:, np.newaxis])
        for later in (x, np.array([1e308, -1e308])):
            out = preprocessor.transform(later[:, np.newaxis])
            assert np.isfinite(out).all()
            assert (np.sign(out[-1]) == np.sign(later[-1])).all() or numeric != "robust"


def test_mixed_types_are_categories_by_their_texts():
    values = ["a", 1, 1.0, "1", True, 0.5, None, datetime.date(2020, 1, 1), decimal.Decimal("0.50"), np.nan]
    preprocessor = TablePreprocessor(numeric="standard").fit([[v] for v in values])
    assert preprocessor.columns_[0]["levels"] == ["0.5", "1", "2020-01-01", "True", "a"]
    rows = preprocessor.transform([[v] for v in values]).argmax(axis=1)
    assert rows.tolist() == [4, 1, 1, 1, 3, 0, 0, 2, 0, 0]


@pytest.mark.parametrize("chosen", ["from_dtype", [0]])
def test_the_level_of_a_value_does_not_depend_on_the_rows_beside_it(monkeypatch, chosen):
    times = [
        datetime.datetime(2020, 1, 1),
        datetime.date(2020, 1, 1),
        np.datetime64("2020-01-01T06"),
        DAY,
        np.timedelta64(1, "h"),
    ]
    for values in (
        ["a", 1, 2.5, True, np.float32(0.1), None, *times],
        [1, True, 2, False],
        [1.0, 3, decimal.Decimal(3)],
    ):
        X = [[value] for value in values]
        whole = TablePreprocessor(categorical_features=chosen).fit(X)
        expected = whole.transform(X)
        monkeypatch.setattr(_preprocessing, "BLOCK", 1)
        np.testing.assert_array_equal(whole.transform(X), expected)
        np.testing.assert_array_equal(whole.transform(X[::-1]), expected[::-1])
        assert TablePreprocessor(categorical_features=chosen).fit(X[::-1]).columns_ == whole.columns_
        monkeypatch.undo()


def test_unused_levels_of_a_categorical_type_are_none():
    X = pandas.DataFrame({"x": pandas.Categorical(["c", "a", None], categories=["a", "b", "c"])})
    preprocessor = TablePreprocessor(numeric="standard").fit(X)
    assert preprocessor.columns_[0]["levels"] == ["a", "c"]
    other = pandas.DataFrame({"x": pandas.Categorical(["c", "a", "b"], categories=["c", "b", "a"])})
    assert preprocessor.transform(other).tolist() == [[-1], [1], [0]]


def test_texts_that_look_like_numbers_are_categories():
    X = pandas.DataFrame({"zip": ["00100", "10115", "20095"]})
    preprocessor = TablePreprocessor(numeric="standard").fit(X)
    assert preprocessor.get_feature_names_out().tolist() == ["zip_00100", "zip_10115", "zip_20095"]
    assert preprocessor.transform(pandas.DataFrame({"zip": [10115, 100, 20095.0]})).tolist() == [
        [0, 1, 0],
        [0, 0, 0],  # no leading zeros: another zip code
        [0, 0, 1],
    ]


@pytest.mark.parametrize(
    "column, later, message",
    [
        ([1.0, 2.0], ["12", "x7"], "'x' held numbers in the fit, and now holds categories .*: 'x7' in row 1"),
        ([1.0, 2.0], ["12", "13"], "'x' held numbers in the fit, and now holds categories .*: '12' in row 0"),
        ([1.0, 2.0], [1.5, "seven"], "now holds categories \\(dtype object\\): 'seven' in row 1"),
        ([1.0, 2.0], [None, "z" * 99], "now holds categories .*: 'z{39}... in row 1"),
        ([1.0, 2.0], [pandas.NaT, datetime.datetime(2020, 1, 1)], "now holds dates .*: 2020-01-01 in row 1"),
        ([1.0, 2.0], [DAY, DAY], "now holds durations .*: 1 days in row 0"),
        ([DAY, DAY], [1, 2], "'x' held durations in the fit, and now holds numbers .*: 1 in row 0"),
        ([datetime.date(2020, 1, 1)] * 2, ["2020-01-01", "x"], "'x' held dates in the fit, and now holds categories"),
        ([datetime.date(2020, 1, 1)] * 2, [1577836800, 2], "held dates .* now holds numbers .*: 1577836800 in row 0"),
    ],
)
def test_a_column_that_holds_something_else_at_prediction(column, later, message):
    preprocessor = TablePreprocessor().fit(pandas.DataFrame({"x": column}))
    with pytest.raises(ValueError, match=message):
        preprocessor.transform(pandas.DataFrame({"x": later}))


def test_booleans_may_come_as_numbers_or_texts_and_numbers_as_booleans():
    preprocessor = TablePreprocessor(numeric="standard").fit(pandas.DataFrame({"x": [True, False, None]}))
    for values in ([True, False, None], [1, 0, None], [1.0, 0.0, np.nan], ["True", "False", "maybe"]):
        assert preprocessor.transform(pandas.DataFrame({"x": values})).tolist() == [[-1], [1], [0]]
    preprocessor = TablePreprocessor(numeric="standard").fit(pandas.DataFrame({"x": [0.0, 1.0]}))
    assert preprocessor.transform(pandas.DataFrame({"x": [True, False]})).tolist() == [[1], [-1]]


@pytest.mark.parametrize(
    "values, message",
    [
        (
            [[1, 2], [3]],
            "column 'x' of dtype object holds a value of type list in row 0; columns may hold numbers, bool",
        ),
        (["a", {"b": 1}], "column 'x' of dtype object holds a value of type dict in row 1"),
        ([b"a", None], "column 'x' of dtype object holds a value of type bytes in row 0"),
        (pandas.Series([None, 1j], dtype=object), "Complex data not supported: column 'x' .* of type complex in row 1"),
        (np.array([1j, 2]), "Complex data not supported: column 'x' of dtype complex128; columns may hold"),
        ([datetime.time(1), None], "column 'x' of dtype object holds a value of type time in row 0"),
        (pandas.period_range("2020", periods=2, freq="M"), r"column 'x' of dtype period\[M\]; columns may hold"),
        (
            pandas.Series([np.timedelta64(1), None], dtype=object),
            "column 'x' of dtype timedelta64 holds durations without a unit",
        ),
        ([object(), 1], "column 'x' of dtype object holds a value of type object in row 0"),
    ],
)
def test_what_a_table_may_not_hold(values, message):
    X = pandas.DataFrame({"y": [1, 2], "x": values})
    with pytest.raises(ValueError, match=message):
        TablePreprocessor().fit(X)
    with pytest.raises(ValueError, match=message):
        TablePreprocessor().fit(X.assign(x=1)).transform(X)


def test_what_a_table_of_polars_or_pyarrow_may_not_hold():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    columns = {"list": [[1], [2]], "struct": [{"a": 1}, None], "binary": [b"a", None], "time": [datetime.time(1), None]}
    for name, values in columns.items():
        for X in (polars.DataFrame({"y": [1, 2], "x": values}), pyarrow.table({"y": [1, 2], "x": values})):
            with pytest.raises(ValueError, match=f"column 'x' of dtype (?i:{name}).*; columns may hold numbers"):
                TablePreprocessor().fit(X)
    with pytest.raises(TypeError, match=r"pass X.collect\(\)"):
        TablePreprocessor().fit(polars.DataFrame({"x": [1]}).lazy())


@pytest.mark.parametrize("package", ["polars", "pyarrow"])
def test_types_that_only_polars_or_pyarrow_has(package):
    module = pytest.importorskip(package)
    table = module.DataFrame if package == "polars" else module.table
    big = [2**63 - 1, 2**63 - 2, None, 5]
    X = table({"big": big, "null": [None] * 4, "money": [decimal.Decimal("1.50"), None, decimal.Decimal(2), None]})
    out = TablePreprocessor(numeric="standard", add_indicator=False).fit(X).transform(X)
    assert out.shape == (4, 2) and out[:, 1].tolist() == [-1, 0, 1, 0]
    if package == "pyarrow":
        text = module.DictionaryArray.from_arrays(module.array([0, 1, None, 2]), module.array(["a", None, "b"]))
        preprocessor = TablePreprocessor(numeric="standard").fit(table({"x": text}))
        assert preprocessor.columns_[0]["levels"] == ["a", "b"]
        assert preprocessor.transform(table({"x": text})).ravel().tolist() == [1, 0, 0, -1]
    X = table({"big": big[:2]})
    preprocessor = TablePreprocessor(categorical_features=["big"]).fit(X)
    assert preprocessor.columns_[0]["levels"] == [str(2**63 - 2), str(2**63 - 1)]


def test_dates_are_days_since_the_first():
    X = pandas.DataFrame({"x": pandas.to_datetime(["2020-03-01 00:00", "2020-02-28 12:00", None])})
    preprocessor = TablePreprocessor(numeric="standard").fit(X)
    assert preprocessor.columns_[0]["first"] == 18320.5 and preprocessor.columns_[0]["median"] == 0.75
    for unit in ("s", "ms", "us", "ns"):
        np.testing.assert_array_equal(preprocessor.transform(X.astype(f"M8[{unit}]")), preprocessor.transform(X))
    before = pandas.DataFrame({"x": [datetime.date(2020, 2, 27)]})
    assert preprocessor.transform(before)[0, 0] == (-1.5 - 0.75) / 0.75
    for unit, days in (
        ("Y", 366 + 365),
        ("M", 60),
        ("W", 14),
        ("D", 2),
        ("h", 2 / 24),
        ("m", 2 / 1440),
        ("s", 2 / 86400),
    ):
        dates = np.array(["2020", "NaT"], dtype="M8[Y]").astype(f"M8[{unit}]")
        both = np.array([dates[0], dates[0] + 2, dates[1]])[:, np.newaxis]
        facts = TablePreprocessor().fit(both).columns_[0]
        assert facts["median"] == pytest.approx(days / 2)


def test_time_zones_are_converted():
    rome = pandas.date_range("2020-03-29", periods=4, freq="h", tz="Europe/Rome")  # summer time begins here
    X = pandas.DataFrame({"x": rome})
    preprocessor = TablePreprocessor().fit(X)
    same = pandas.DataFrame({"x": rome.tz_convert("America/New_York")})
    for table in (same, same.astype(object)):
        np.testing.assert_array_equal(preprocessor.transform(table), preprocessor.transform(X))
    assert preprocessor.columns_[0]["median"] == pytest.approx(1.5 / 24, abs=1e-11)  # 1 us
    naive = pandas.DataFrame({"x": rome.tz_localize(None)})
    with pytest.raises(ValueError, match="'x' has no time zone .*, and had one in the fit"):
        preprocessor.transform(naive)
    with pytest.raises(ValueError, match="'x' has time zone .*, and had none in the fit"):
        TablePreprocessor().fit(naive).transform(X)
    with pytest.raises(ValueError, match="column 'x' of dtype object holds dates with and without a time zone"):
        TablePreprocessor().fit(pandas.DataFrame({"x": pandas.Series([rome[0], naive.x[0]], dtype=object)}))


@pytest.mark.parametrize(
    "chosen", [["code"], [1], [-1], (1,), np.array([1]), [False, True], np.array([False, True]), pandas.Index(["code"])]
)
def test_columns_called_categorical(chosen):
    X = pandas.DataFrame({"x": [1.0, 2.0, 4.0], "code": [2**60, 2**60 + 1, 7]})
    preprocessor = TablePreprocessor(categorical_features=chosen, numeric="standard").fit(X)
    levels = sorted([str(2**60), str(2**60 + 1), "7"])
    assert preprocessor.get_feature_names_out().tolist() == ["x", *(f"code_{level}" for level in levels)]
    for values in (
        pandas.array([7, None, 2**60 + 1], dtype="Int64"),
        pandas.Series([7, None, 2**60 + 1], dtype=object),
    ):
        assert preprocessor.transform(X.assign(code=values))[:, 1:].tolist() == [[0, 0, 1], [0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    "chosen, message",
    [
        (["no"], "names 'no', and X has 2 columns: 'x', 'y'"),
        ([2], "names column 2, and X has 2 columns"),
        ([True], "names 1 columns in a mask, and X has 2 columns"),
        ("x", "must be 'from_dtype' or a mask of columns"),
        ([1.0], "a mask of columns, their positions or their names. Got"),
        ([["x"]], "a mask of columns, their positions or their names. Got"),
        (None, "a mask of columns, their positions or their names. Got None"),
    ],
)
def test_columns_called_categorical_that_are_not_there(chosen, message):
    with pytest.raises(InvalidParameterError, match=message):
        TablePreprocessor(categorical_features=chosen).fit(pandas.DataFrame({"x": [1, 2], "y": [3, 4]}))


@pytest.mark.parametrize(
    "name, value",
    [("max_one_hot", -1), ("max_one_hot", 1.5), ("numeric", "log"), ("dtype", "int8"), ("add_indicator", 1)],
)
def test_parameters_that_are_not_allowed(name, value):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of TablePreprocessor must be"):
        TablePreprocessor(**{name: value}).fit([[1], [2]])


def test_what_is_no_table():
    for X, message in (
        ([1, 2], "Expected 2D array"),
        ([[1, 2], [3]], "rows of X have different lengths: row 0 has 2, row 1 1"),
        (pandas.DataFrame({"x": []}), r"Found array with 0 sample\(s\) \(shape=\(0, 1\)\)"),
        (pandas.DataFrame(index=[1, 2]), r"Found array with 0 feature\(s\) \(shape=\(2, 0\)\)"),
        (np.array([[b"a"]]), r"column 0 of dtype \|S1; columns may hold"),
    ):
        with pytest.raises(ValueError, match=message):
            TablePreprocessor().fit(X)


def test_masked_arrays():
    X = np.ma.masked_array([[1.0], [2.0], [9.0]], mask=[[False], [False], [True]])
    np.testing.assert_array_equal(matrix(X), matrix([[1.0], [2.0], [None]]))


# ---- as a transformer of scikit-learn ----


def test_scikit_learns_checks():
    for numeric in _scaling.SCALES:
        check_estimator(TablePreprocessor(numeric=numeric), on_skip=None)


def test_a_failed_fit_changes_nothing():
    X = everything()
    preprocessor = TablePreprocessor().fit(X)
    before = preprocessor.transform(X)
    for bad in (X.assign(constant=np.inf), X.assign(number=1j), [[1, 2], [3]]):
        with pytest.raises(ValueError):
            preprocessor.fit(bad)
        np.testing.assert_array_equal(preprocessor.transform(X), before)
    assert not hasattr(preprocessor.fit(np.eye(3)), "feature_names_in_")


def test_unfitted():
    preprocessor = TablePreprocessor()
    assert not hasattr(preprocessor, "n_numeric_")
    with pytest.raises(NotFittedError):
        preprocessor.transform([[1]])


def test_clones_pickles_and_output():
    X = everything()
    preprocessor = TablePreprocessor(max_one_hot=2).fit(X)
    out = preprocessor.transform(X)
    assert not hasattr(clone(preprocessor), "columns_") and clone(preprocessor).max_one_hot == 2
    for other in (pickle.loads(pickle.dumps(preprocessor)), copy.deepcopy(preprocessor)):
        np.testing.assert_array_equal(other.transform(X), out)
    frame = preprocessor.set_output(transform="pandas").transform(X.set_index("many", drop=False))
    assert frame.columns.tolist() == preprocessor.get_feature_names_out().tolist()
    assert frame.index.equals(pandas.Index(X["many"])) and np.array_equal(frame.to_numpy(), out)
    assert TablePreprocessor().fit(np.eye(2)).get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        preprocessor.get_feature_names_out(["a"])


def test_needs_neither_pandas_nor_other_packages_of_frames():
    code = (
        "import sys\n"
        "for name in ('pandas', 'polars', 'pyarrow'): sys.modules[name] = None\n"
        "from pyrelu.tabular._preprocessing import TablePreprocessor\n"
        "print(TablePreprocessor().fit_transform([[1, 'a', None], [2, 'b', True]]).shape)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "(2, 3)\n", result.stderr


# ---- files ----


@pytest.mark.parametrize("numeric", _scaling.SCALES)
def test_a_file_gives_the_same_bits(tmp_path, numeric):
    X = everything()
    for preprocessor in (
        TablePreprocessor(numeric=numeric, categorical_features=np.array([1])).fit(X),
        TablePreprocessor(numeric=numeric).fit(X.astype(object).to_numpy()).set_output(transform="pandas"),
    ):
        files.write(tmp_path / "file", "test", {"preprocessor_": preprocessor})
        read = files.read(tmp_path / "file", "test")["preprocessor_"]
        table = X if hasattr(preprocessor, "feature_names_in_") else X.astype(object).to_numpy()
        np.testing.assert_array_equal(read.transform(table), preprocessor.transform(table))
        assert read.get_feature_names_out().tolist() == preprocessor.get_feature_names_out().tolist()
    files.write(tmp_path / "file", "test", {"preprocessor_": TablePreprocessor(max_one_hot=3)})
    assert files.read(tmp_path / "file", "test")["preprocessor_"].max_one_hot == 3


def forgeries():
    """Attributes of a preprocessor, and what a stranger's file may say of them."""
    yield "columns_", []
    yield "columns_", None
    yield "columns_", [1, 2, 3]
    yield "scales_", []
    yield "scales_", None
    yield "n_features_in_", 7
    yield "n_features_in_", None
    yield "n_features_in_", True
    yield "feature_names_in_", np.array(["a", "b", "z"], dtype=object)
    yield "feature_names_in_", ["a", "b", "c"]
    yield "max_one_hot", -1
    yield "max_one_hot", 2  # more columns of codes than scales_ are for
    yield "numeric", "log"
    yield "numeric", "quantile"
    yield "dtype", "object"
    yield "_sklearn_output_config", {"transform": "os"}
    yield "_sklearn_output_config", 3
    yield "transform", 3
    for value in (np.array([1.0]), np.array([1, 2]), np.array([np.nan, 1]), np.array([0.0, 0.0]), np.eye(2), 3):
        yield "scales_.0", value
    for key, values in {
        "name": (3, None),
        "kind": ("boolean", "date ", "missing", None, []),
        "levels": (["a"], None, [1], "a"),
        "first": (None, np.inf, "1"),
        "median": (np.nan, 1j, True),
        "has_zone": (None, 1),
        "has_gaps": (1, "yes", True),
    }.items():
        for value in values:
            yield f"columns_.0.{key}", value
    yield "columns_.1.has_gaps", True
    yield "columns_.1.levels", []
    yield "columns_.1.levels", ["a", "a", "b"]
    yield "columns_.1.levels", ["a"]
    yield "columns_.1.kind", "boolean"
    yield "columns_.2.levels", ["no", "yes"]


@pytest.mark.parametrize("where, value", list(forgeries()))
def test_forged_files(tmp_path, where, value):
    X = pandas.DataFrame({"a": [1.0, 2.0, 4.0], "b": ["x", "y", "z"], "c": [True, False, True]})
    preprocessor = TablePreprocessor().fit(X)
    if where == "columns_.1.has_gaps":
        preprocessor = TablePreprocessor(numeric="standard").fit(X)  # which scales no indicators
    *path, last = where.split(".")
    place = vars(preprocessor)
    for key in path:
        place = place[int(key) if isinstance(place, list) else key]
    place[int(last) if isinstance(place, list) else last] = value
    try:
        files.write(tmp_path / "file", "test", {"preprocessor_": preprocessor})
    except TypeError:  # as it cannot be written, it cannot be in a file
        return
    with pytest.raises(InvalidFileError):
        files.read(tmp_path / "file", "test")


def test_names_and_levels_that_are_kinds_of_text_can_be_saved(tmp_path):
    X = pandas.DataFrame({"x": pandas.Series([np.str_("a"), "b"], dtype=object)})
    X.columns = pandas.Index([np.str_("x")], dtype=object)
    files.write(tmp_path / "file", "test", {"preprocessor_": TablePreprocessor().fit(X)})
    assert files.read(tmp_path / "file", "test")["preprocessor_"].get_feature_names_out().tolist() == ["x_a"]
