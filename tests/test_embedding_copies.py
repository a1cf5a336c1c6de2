"""Embeddings of columns: copies, files and checkpoints keep them, and wrong arrays are refused."""

import copy
import pickle

import numpy as np
import pytest
from embedding_cases import FULL, KINDS, fit, table
from helpers import few_epochs, same_bits

from pyrelu import MLPRegressor
from pyrelu._mlp.activation import resolve_of
from pyrelu._mlp.network import pack
from pyrelu._network import Network
from pyrelu.callbacks import Checkpoint
from pyrelu.exceptions import InvalidFileError

pytestmark = few_epochs

# ---- what keeps them ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copies_and_files_give_the_same_bits(dtype, tmp_path):
    X, y = table(dtype=dtype)
    mlp = fit(X, y, numeric_features=[0, 1])
    mlp.save(tmp_path / "a")
    twins = [type(mlp).load(tmp_path / "a"), copy.deepcopy(mlp), pickle.loads(pickle.dumps(mlp)), copy.copy(mlp)]
    want, after = mlp.predict(X), copy.deepcopy(mlp).partial_fit(X, y).partial_fit(X[:50], y[:50])
    assert mlp.predict(X).dtype == dtype == mlp.embedding_.arrays["levels"].dtype
    for twin in twins:
        assert same_bits(twin.predict(X), want)
        assert same_bits(twin.partial_fit(X, y).partial_fit(X[:50], y[:50]).predict(X), after.predict(X))
    assert same_bits(mlp.predict(X), want)
    assert same_bits(mlp.set_params(warm_start=True).fit(X, y).embedding_.numeric, after.embedding_.numeric)


def test_a_fit_without_embedding_forgets_it():
    X, y = table()
    mlp = fit(X, y).set_params(numeric_embedding=None, categorical_features=None, scale_inputs=False)
    assert not hasattr(mlp.fit(X, y), "embedding_") and len(mlp.coefs_[0]) == 6


def test_failed_fits_leave_it_as_it_was():
    X, y = table()
    mlp = fit(X, y)
    before, y = mlp.predict(X), np.full(len(y), 1e300)
    with pytest.raises(ValueError):
        mlp.set_params(learning_rate_init=1e300, warm_start=True, solver="sgd").fit(X, y)
    assert same_bits(mlp.predict(X), before)


def test_checkpoints_resume_with_the_same_bits(tmp_path):
    X, y = table()
    given = dict(dropout=(0.1, 0.1, 0.1), dropout_schedule="flat_cos", alpha_schedule="coslog4", init="unit_variance")

    def fitted(*callbacks, **changes):
        mlp = MLPRegressor(
            **FULL
            | given
            | dict(hidden_layer_sizes=(7, 5), activation="gelu")
            | dict(max_iter=6, random_state=0)
            | changes
        )
        return mlp.set_callbacks(*callbacks).fit(X, y)

    fails = []

    def rate(epoch):
        if epoch == 3 and fails:
            raise RuntimeError(fails.pop())
        return 1e-3

    want = fitted(learning_rate=rate)
    fails.append("in the middle")
    with pytest.raises(RuntimeError, match="in the middle"):
        fitted(Checkpoint(tmp_path / "a", every=1), learning_rate=rate)
    resumed = fitted(Checkpoint(tmp_path / "a", resume=True), learning_rate=rate)
    assert same_bits(resumed.predict(X), want.predict(X))


def test_scikit_learn_has_none():
    X, y = table()
    plain = dict(numeric_embedding=None, categorical_features=None, embedding_size=8, activation="relu")
    mlp = fit(X, y, **plain, parametric_activation=False).set_params(scale_inputs=False)
    with pytest.raises(ValueError, match="cannot express embedding_"):
        mlp.to_sklearn()
    mlp = fit(X, y, **plain, scale_inputs=False).set_params(parametric_activation=False)
    with pytest.raises(ValueError, match="activation_weights_"):
        mlp.to_sklearn()


# ---- the core and files ----


def broken(embedding, name, value):
    twin = copy.deepcopy(embedding)
    setattr(twin, name, value)
    return twin


@pytest.mark.parametrize("name", ["numeric", "plain", "categorical", "n_levels", "kind", "arrays", "n_features"])
@pytest.mark.parametrize(
    "value",
    [None, 3, 0, "x", [], {}, np.zeros(2), np.array([9, 9]), np.array([-1, 2**40]), np.array([[0, 1]])],
    ids=str,
)
def test_wrong_attributes_are_refused(name, value, tmp_path):
    X, y = table()
    mlp = fit(X, y, numeric_features=[0, 3])
    mlp.embedding_ = broken(mlp.embedding_, name, value)
    with pytest.raises((ValueError, TypeError, AttributeError, LookupError)):
        mlp.predict(X)
    try:
        mlp.save(tmp_path / "a")  # as a forger would
    except (TypeError, ValueError):
        return
    with pytest.raises(InvalidFileError):
        MLPRegressor.load(tmp_path / "a")


@pytest.mark.parametrize("kind", KINDS[1:], ids=str)
def test_wrong_arrays_are_refused(kind):
    X, y = table()
    mlp = fit(X, y, numeric_embedding=kind)
    for name, array in mlp.embedding_.arrays.items():
        for wrong in (
            None,
            array[:-1],
            array[..., :-1],
            array.astype("f2"),
            array[np.newaxis],
            0,
            np.asfortranarray(array)[::-1],
        ):
            arrays = {**mlp.embedding_.arrays, name: wrong}
            embedding = broken(mlp.embedding_, "arrays", arrays)
            with pytest.raises((ValueError, TypeError)):
                Network(mlp.coefs_, mlp.intercepts_, [], 0, None, (), embedding=embedding)
            with pytest.raises((ValueError, TypeError)):
                network_of(mlp, embedding)
    with pytest.raises(ValueError, match="does not use"):
        network_of(mlp, broken(mlp.embedding_, "arrays", {**mlp.embedding_.arrays, "more": np.zeros(3)}))


def network_of(mlp, embedding, parameters=None):
    activations = resolve_of(mlp, len(mlp.coefs_) - 1)
    return Network(
        mlp.coefs_, mlp.intercepts_, activations, 0, None, mlp.activation_weights_, parameters, embedding=embedding
    )


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_learned_arrays_must_be_of_the_buffer(kind):
    """An array elsewhere has no place in the buffers of the optimizer."""
    X, y = table()
    mlp = fit(X, y, numeric_embedding=kind)
    parameters, arrays = pack(mlp._arrays(), np.float64)
    mlp._set_arrays(arrays, np.float64)
    network_of(mlp, mlp.embedding_, parameters)
    for name, array in mlp.embedding_.learned.items():
        elsewhere = broken(mlp.embedding_, "arrays", {**mlp.embedding_.arrays, name: array.copy()})
        elsewhere.arrays |= {key: value for key, value in mlp.embedding_.arrays.items() if key != name}
        with pytest.raises(ValueError, match="must be views of `parameters`"):
            network_of(mlp, elsewhere, parameters)
