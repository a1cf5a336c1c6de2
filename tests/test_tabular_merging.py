"""What is learned of a table in parts: bit for bit what is learned of all of it, in a few rounds of small reports."""

import numpy as np
import pandas as pd
import pytest
from helpers import rng, same_bits
from tabular_cases import table

from pyrelu.tabular import TablePreprocessor, _merging, _scaling


def parts_of(X, ends):
    return [X.iloc[a:b] for a, b in zip([0, *ends], [*ends, len(X)], strict=True) if a < b]


def over(parts, calls=None):
    def over_parts(reduce, function, *arguments):
        results = [function(part, *arguments) for part in parts]
        if calls is not None:
            calls.append(results)
        return reduce(results)

    return over_parts


def merged(X, ends, **parameters):
    preprocessor = TablePreprocessor(**parameters)
    _merging.fit(preprocessor, over(parts_of(X, ends)))
    return preprocessor


def check_same(ours, theirs, exactly=True):
    assert ours.columns_ == theirs.columns_ and ours.n_features_in_ == theirs.n_features_in_
    assert (
        getattr(ours, "feature_names_in_", None) is None or (ours.feature_names_in_ == theirs.feature_names_in_).all()
    )
    assert len(ours.scales_) == len(theirs.scales_)
    for a, b in zip(ours.scales_, theirs.scales_, strict=True):
        if exactly:
            assert same_bits(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("ends", [(), (1,), (40, 41, 90), tuple(range(1, 120, 7))])
@pytest.mark.parametrize("max_one_hot", [0, 8, 20])
@pytest.mark.parametrize("numeric", _scaling.SCALES)
def test_every_kind_of_column(numeric, max_one_hot, ends):
    X = table()
    parameters = {"numeric": numeric, "max_one_hot": max_one_hot, "categorical_features": ["count"]}
    check_same(merged(X, ends, **parameters), TablePreprocessor(**parameters).fit(X), exactly=numeric != "standard")


@pytest.mark.parametrize("numeric", _scaling.SCALES)
@pytest.mark.parametrize("missing", [slice(0, 4), slice(4, 9)], ids=["first part", "last part"])
def test_columns_without_values_in_one_part_only(missing, numeric):
    X = pd.DataFrame(
        {
            "number": np.arange(9.0),
            "word": pd.Series(list("abcabcabc"), dtype=object),
            "flag": pd.Series([True, False, True] * 3, dtype=object),
            "day": pd.date_range("2020-01-01", periods=9),
        }
    )
    X.iloc[missing] = None
    X["full"] = 1.0
    ours, theirs = merged(X, (4,), numeric=numeric), TablePreprocessor(numeric=numeric).fit(X)
    assert [column["has_gaps"] for column in ours.columns_ if column["name"] in ("number", "day")] == [True, True]
    check_same(ours, theirs, exactly=numeric != "standard")


@pytest.mark.parametrize("n_first", range(1, 9))
def test_quantiles_of_levels_at_the_ends_of_their_runs(n_first):
    """An order statistic may be the last of its value, or the first."""
    X = pd.DataFrame({"word": ["a"] * n_first + ["b"] * (9 - n_first)})
    check_same(merged(X, (4,), numeric="robust"), TablePreprocessor(numeric="robust").fit(X))


COLUMNS = {
    "normal": lambda random, n: random.normal(size=n),
    "two values": lambda random, n: np.repeat([0.0, 1.0], [n // 2, n - n // 2]),
    "mostly one": lambda random, n: np.where(random.random(n) < 0.9, 3.0, random.normal(size=n)),
    "integers": lambda random, n: random.integers(-3, 4, n).astype(float),
    "of all sizes": lambda random, n: random.normal(size=n) * 10.0 ** random.integers(-300, 300, n),
    "sorted": lambda random, n: np.arange(n) / 7,
    "one": lambda random, n: np.full(n, -0.1),
    "signs of 0": lambda random, n: random.choice([0.0, -0.0, 1.0], n),
}


@pytest.mark.parametrize("numeric", ["robust", "quantile"])
@pytest.mark.parametrize("name", COLUMNS)
def test_quantiles_are_exact_whatever_the_values(name, numeric, monkeypatch):
    monkeypatch.setattr(_merging, "POINTS", 16)  # many rounds
    random = rng(name)
    for n in (1, 2, 3, 50, 3000):
        X = pd.DataFrame({"x": COLUMNS[name](random, n)})
        ends = sorted(set(random.integers(0, n, 6).tolist()))
        ours, theirs = merged(X, ends, numeric=numeric), TablePreprocessor(numeric=numeric).fit(X)
        for a, b in zip(ours.scales_, theirs.scales_, strict=True):
            np.testing.assert_array_equal(a, b)  # 0 and -0 are one value, of which either may be found


def test_reports_are_few_and_small():
    random = rng("reports")
    X = pd.DataFrame({f"x{i}": random.normal(size=100_000) for i in range(2)})
    calls = []
    _merging.fit(TablePreprocessor(), over(parts_of(X, range(20_000, 100_000, 20_000)), calls))
    assert len(calls) <= 5  # a summary, and rounds of reports
    for results in calls[1:]:
        for report in results:
            for of_column in report:
                assert sum(values.size for *_, values in of_column) <= 8 * _merging.POINTS


def test_parts_that_do_not_go_together_are_refused():
    a = pd.DataFrame({"x": [1.0, 2.0], "day": pd.to_datetime(["2020-01-01", "2021-01-01"])})
    for other, said in (
        (
            a.assign(x=["a", "b"]),
            r"Column 'x' holds numbers in one partition \(dtype float64\), and categories in another",
        ),
        (a.assign(day=a["day"].dt.tz_localize("UTC")), "Column 'day' has a time zone in some partitions only"),
        (
            a.rename(columns={"x": "z"}),
            r"the columns of X differ between partitions: \['x', 'day'\] and \['z', 'day'\]",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            _merging.fit(TablePreprocessor(), over([a, other]))
    with pytest.raises(ValueError, match="infinite values: column 'x'"):
        _merging.fit(TablePreprocessor(), over([a, a.assign(x=np.inf)]))
