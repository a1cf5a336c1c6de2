"""Tables of any kind become the matrix that a network is trained on: its layout, its files, its place in scikit-learn."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pandas
import pytest
from helpers import rng
from preprocessing_cases import N, containers, everything, matrix, only
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from pyrelu._storage import files
from pyrelu.exceptions import InvalidFileError
from pyrelu.tabular import _preprocessing, _scaling
from pyrelu.tabular._preprocessing import TablePreprocessor

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
