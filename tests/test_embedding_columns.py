"""Embeddings of columns: which columns, which categories, and wrong arguments."""

import re

import numpy as np
import pytest
import scipy.sparse
from embedding_cases import fit, table
from helpers import few_epochs, same_bits

from pyrelu import MLPRegressor
from pyrelu._mlp.embedding import MAX_EMBEDDING_SIZE as MAX_SIZE
from pyrelu.exceptions import InvalidParameterError
from pyrelu.registry import embeddings

pytestmark = few_epochs

# ---- categories ----


@pytest.mark.parametrize("code", [-1, -0.0, 2.5, 5, 4.999, 1e18, -1e300])
def test_what_is_no_category_is_category_0(code):
    X, y = table()
    mlp = fit(X, y)
    rows, first = X[:20].copy(), X[:20].copy()
    rows[:, 2], first[:, 2] = code, 0
    assert same_bits(mlp.predict(rows), mlp.predict(first))
    assert same_bits(mlp.embedding_.transform(rows), mlp.embedding_.transform(first))


@pytest.mark.parametrize(
    "given", [[2, 5], (5, 2), np.array([2, 5], np.uint8), [i in (2, 5) for i in range(6)]], ids=str
)
def test_columns_by_number_or_mask(given):
    X, y = table()
    assert same_bits(fit(X, y, categorical_features=given).predict(X), fit(X, y).predict(X))


@pytest.mark.parametrize("name", ["categorical_features", "numeric_features"])
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([6], ValueError, "must be different numbers in the range [0, 6)"),
        ([-1], ValueError, "must be different numbers in the range [0, 6)"),
        ([3, 3], ValueError, "must be different numbers"),
        ([10**30], ValueError, "must be different numbers in the range [0, 6)"),
        ([2**64 + 2], ValueError, "must be different numbers in the range [0, 6)"),
        ([True] * 5, ValueError, "is a mask of 5 columns, but X has 6"),
        ([True, 1], InvalidParameterError, "a sequence of column numbers, or a mask of booleans"),
        ([2.0], InvalidParameterError, "a sequence of column numbers"),
        ("2", InvalidParameterError, "a sequence of column numbers"),
        (2, InvalidParameterError, "a sequence of column numbers"),
    ],
    ids=str,
)
def test_wrong_columns(name, given, error, message):
    X, y = table()
    with pytest.raises(error, match=re.escape(message)) as caught:
        fit(X, y, **{name: given})
    assert name in str(caught.value)


def test_a_column_is_of_one_kind():
    X, y = table()
    with pytest.raises(ValueError, match="column 2 is in numeric_features and in categorical_features"):
        fit(X, y, numeric_features=[0, 2])


@pytest.mark.parametrize("wrong", [-1, 0.5, 1e7])
def test_wrong_codes_are_named(wrong):
    X, y = table()
    X[7, 5] = wrong
    with pytest.raises(ValueError, match=rf"column 5 of X.*row 7 has {re.escape(f'{wrong:g}')}"):
        fit(X, y)


# ---- parameters ----


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("fast", "must be None or one of 'periodic', 'piecewise_linear' or a pair"),
        (3, "or a pair of such a name and a dict of its parameters. Got 3"),
        (["periodic", {}], "or a pair of such a name"),
        (("periodic", {"n_bins": 3}), "has no parameter 'n_bins'; 'periodic' has: n_frequencies, sigma, size"),
        (("periodic", {3: 1, "b": 1}), "has no parameter 3"),
        (("periodic", {"size": 1}), f"must be an int in the range [2, {MAX_SIZE}]. Got 1"),
        (("periodic", {"size": MAX_SIZE + 1}), f"[2, {MAX_SIZE}]"),
        (("periodic", {"size": True}), "Got True"),
        (("periodic", {"sigma": 0}), "must be a float in the range (0, inf). Got 0"),
        (("periodic", {"sigma": np.nan}), "(0, inf). Got nan"),
        (("piecewise_linear", {"n_bins": 0}), "'n_bins' of"),
    ],
    ids=str,
)
def test_wrong_embeddings(given, message):
    X, y = table()
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        fit(X, y, numeric_embedding=given)


@pytest.mark.parametrize("name", embeddings)
def test_largest_size(name):
    X, y = table()
    assert len(fit(X, y, numeric_embedding=(name, {"size": MAX_SIZE})).coefs_[0]) == 4 * MAX_SIZE + 2 * 3


@pytest.mark.parametrize("parameters", [{"numeric_embedding": "periodic"}, {"categorical_features": [0]}, {"scale_inputs": True}], ids=str)  # fmt: skip
def test_sparse_rows(parameters):
    X, y = table()
    with pytest.raises(ValueError, match=re.escape("do not take a sparse X; pass X.toarray()")):
        MLPRegressor(**parameters).fit(scipy.sparse.csr_array(X), y)
    mlp = fit(X, y)
    for call in (mlp.predict, lambda X: mlp.partial_fit(X, y)):
        with pytest.raises(ValueError, match=re.escape("pass X.toarray()")):
            call(scipy.sparse.csr_array(X))
