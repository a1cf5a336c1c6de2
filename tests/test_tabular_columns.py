"""Hostile columns: what stands for missing, odd types, dates, categories; each kind has its test here."""

import datetime
import decimal

import numpy as np
import pandas
import pytest
from helpers import rng
from preprocessing_cases import DAY, everything, matrix, only

from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular import _preprocessing, _scaling
from pyrelu.tabular._preprocessing import TablePreprocessor


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
