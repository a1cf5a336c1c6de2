"""Embeddings of columns and scales of inputs: formulas, gradients, shapes, and what inspection makes of them."""

from itertools import product

import mpmath
import numpy as np
import pytest
from embedding_cases import KINDS, fit, table
from helpers import few_epochs, rng, same_bits

from pyrelu import MLPRegressor, inspection
from pyrelu._mlp.embedding import PARAMETERS, InputEmbedding
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.plot import LinearRegionsDisplay
from pyrelu.registry import embeddings

pytestmark = few_epochs

NO_COLUMNS = np.empty(0, np.intp)
EXACT = {"cos": mpmath.cos, "pi": mpmath.pi, "clip": lambda y, low, high: min(max(y, low), high)}

# ---- the features ----


def feature(name, w, b, x, dtype):
    """Return the core's feature of each x."""
    arrays = {"frequencies": [[w]], "phases": [[b]], "weights": [[[1.0]]], "biases": [[0.0]]}
    arrays = {key: np.array(value, dtype) for key, value in arrays.items()}
    embedding = InputEmbedding(1, np.zeros(1, np.intp), NO_COLUMNS, NO_COLUMNS, NO_COLUMNS, name, arrays)
    weights = [np.array([[0.0], [1.0]], dtype)]
    network = Network(weights, [np.zeros(1, dtype)], [], 0, None, embedding=embedding)
    return network.predict(Samples(np.asarray(x, dtype)[:, np.newaxis]))[:, 0]


def exactly(name, w, b, x):
    with mpmath.workdps(40):
        return [eval(embeddings[name].formula, EXACT, dict(x=mpmath.mpf(float(v)), w=w, b=b)) for v in x]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosine_of_turns(dtype):
    """Within 1.5 ULP of 1. With w = 1 and b = 0, x counts turns, which have no rounding errors of their own."""
    eps = np.finfo(dtype).eps
    quarters = np.arange(-12, 13) / 4
    near = [np.nextafter(quarters.astype(dtype), dtype(to)) for to in (-np.inf, np.inf)]
    x = np.concatenate([rng("turns").uniform(-1000, 1000, 300), rng("few").uniform(-1, 1, 300), quarters, *near])
    x = np.concatenate([x, [1e-30, 999.75, -1000, 2.0**22 + 0.5]]).astype(dtype)
    got, want = feature("periodic", 1.0, 0.0, x, dtype), exactly("periodic", 1, 0, x)
    assert max(abs(mpmath.mpf(float(a)) - b) for a, b in zip(got, want, strict=True)) <= 1.5 * eps
    assert (feature("periodic", 1.0, 0.0, [0, 7, -3], dtype) == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", embeddings)
def test_features_are_those_of_the_formula(name, dtype):
    """The number of turns, or of bins, is rounded: an error of half an ULP of it, and twice for b."""
    eps, x = np.finfo(dtype).eps, rng("features").normal(size=200).astype(dtype)
    for w, b in ((0.1, 1.5), (-2.5, -3.0), (30.0, 0.25), (0.0, 0.5)):
        w, b = float(dtype(w)), float(dtype(b))
        got, want = feature(name, w, b, x, dtype), exactly(name, w, b, x)
        bound = eps * (2 + 7 * (abs(w * x.astype(float)) + abs(b)))
        assert all(abs(mpmath.mpf(float(g)) - e) <= limit for g, e, limit in zip(got, want, bound, strict=True)), w


def test_any_number_of_turns_is_no_accident():
    for dtype, huge in ((np.float32, 1e30), (np.float64, 1e300)):
        got = feature("periodic", 1.0, 0.0, [huge, -huge, np.nan], dtype)
        assert (abs(got[:2]) <= 1 + np.finfo(dtype).eps).all() and np.isnan(got[2])


# ---- networks against InputEmbedding.transform and pyrelu.inspection, in NumPy ----


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 2e-5), (np.float64, 1e-13)])
@pytest.mark.parametrize(("scales", "features"), [(True, None), (False, [0, 3])])
def test_predictions(kind, dtype, atol, scales, features):
    X, y = table(dtype=dtype)
    mlp = fit(X, y, numeric_embedding=kind, scale_inputs=scales, numeric_features=features)
    mlp.embedding_.arrays.get("scales", np.empty(0))[:] *= 1.5
    for rows in (X, X[:1], X[:3], X[:65], np.tile(X, (20, 1))):
        inputs = mlp.embedding_.transform(rows)
        assert inputs.shape == (len(rows), mlp.embedding_.n_outputs) == (len(rows), len(mlp.coefs_[0]))
        want = np.concatenate([step.after[-1] for step, _ in inspection._trace.passes(mlp, rows)])[:, 0]
        np.testing.assert_allclose(mlp.predict(rows), want, rtol=0, atol=atol)


@pytest.mark.parametrize("parametric", [False, True])
@pytest.mark.parametrize("scales", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gradients(kind, scales, parametric):
    """Of each learned array, with penalties on all of them and dropout of inputs and units, by central differences."""
    X, y = table()
    alphas = {name: {"alpha": 0.5 + i} for i, name in enumerate(("weights", "biases", "activations", "scales"))}
    alphas |= {"numeric_embeddings": {"alpha": 0.25}, "categorical_embeddings": {"alpha": 2.0}}
    mlp = fit(
        X, y, numeric_embedding=kind, scale_inputs=scales, parametric_activation=parametric, init="unit_variance",
        alpha=0.3, l1=0.2, param_groups=alphas,
    )  # fmt: skip
    check_gradient(mlp, X, y)


def check_gradient(mlp, X, y):
    parameters, arrays = pack(mlp._arrays(), np.float64)
    mlp._set_arrays(arrays, np.float64)
    dropout = [0.3, *[0.2] * (len(mlp.coefs_) - 1)]
    network = mlp._network(mlp._arrays(), parameters, dropout, mlp._output_loss())
    samples, solver = Samples(X, y[:, np.newaxis].copy()), Gradient(parameters, mlp)

    def loss():
        solver.t = 0  # drops the same units
        return network.train(samples, None, len(X), solver).loss

    loss()
    got, step = solver.state[0].copy(), 1e-6
    want = np.empty_like(got)
    for i, start in enumerate(parameters):
        parameters[i] = start + step
        above = loss()
        parameters[i] = start - step
        want[i] = (above - loss()) / (2 * step)
        parameters[i] = start
    for array, place in zip((a for group in arrays for a in group if a is not None), spans(arrays), strict=True):
        assert array.size and want[place].any()
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)


def spans(arrays):
    start = 0
    for array in (array for group in arrays for array in group if array is not None):
        yield slice(start, start + array.size)
        start += array.size


def test_gradients_of_several_micro_batches():
    X, y = table(1100)
    mlp = fit(X[:120], y[:120], hidden_layer_sizes=3, numeric_features=[0], numeric_embedding=KINDS[1], alpha=0.0)
    check_gradient(mlp, X, y)


@pytest.mark.parametrize("kind", KINDS[1:], ids=str)
@pytest.mark.parametrize("solver", ["adam", "lamb"])
def test_threads_do_not_change_a_bit(kind, solver):
    X, y = table(3000, np.float32)
    given = dict(hidden_layer_sizes=(200, 100), batch_size=1500, dropout=(0.1, 0.1, 0.1), clip_norm=0.5, solver=solver)
    one, two = (fit(X, y, numeric_embedding=kind, n_threads=n, **given) for n in (1, 2))
    for a, b in zip(one._arrays(), two._arrays(), strict=True):
        assert all(map(same_bits, a, b))


# ---- dropout of inputs ----


def test_dropout_drops_what_columns_become():
    """A category is dropped or its vector is scaled up; it is never another category."""
    seen = []

    def activation(z):
        seen.append(z.copy())
        return z

    X = np.resize(np.arange(5.0), 200)[:, np.newaxis]
    mlp = MLPRegressor(
        loss="squared_error", hidden_layer_sizes=12, activation=(activation, np.ones_like), categorical_features=[0], embedding_size=12, dropout=(0.5, 0.0), alpha=0.0,
        init=lambda shape, _: np.eye(*shape), learning_rate_init=1e-30, batch_size=200, shuffle=False, max_iter=1,
        random_state=0, n_threads=1,
    ).fit(X, X[:, 0])  # fmt: skip
    [of_training] = [z for z in seen if len(z) == 200][:1]
    kept = abs(of_training) > 1e-9
    vectors = np.repeat(mlp.embedding_.arrays["levels"][np.newaxis], 40, axis=0).reshape(200, 12)
    np.testing.assert_allclose(of_training[kept], 2 * vectors[kept], rtol=1e-6)
    assert abs(kept.mean() - 0.5) < 5 * 0.5 / np.sqrt(kept.size)


# ---- shapes ----


@pytest.mark.parametrize("solver", ["lbfgs", *STOCHASTIC])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_shape_of_table_trains(kind, solver):
    X, y = table(60)
    parts = [
        (X, [2, 5], (4,)), (X, [2, 5], ()), (X[:, :1], None, (4,)), (X[:, 2:3], [0], (4,)), (X[:, [2, 5]], [0, 1], (4,)),
        (X, [], (4,)), (X[:1], [2, 5], (4,)), (np.full((60, 2), 0.1), None, (4,)),
    ]  # fmt: skip
    for rows, categorical, hidden in parts:
        mlp = fit(
            rows, y[: len(rows)], numeric_embedding=kind, categorical_features=categorical, hidden_layer_sizes=hidden,
            solver=solver, init="unit_variance",
        )  # fmt: skip
        assert np.isfinite(mlp.predict(rows)).all()
        if categorical and len(categorical) == rows.shape[1]:
            assert mlp.embedding_.kind is None and len(mlp.embedding_.numeric) == 0


def test_bins_without_width_are_empty():
    X = np.repeat([0.0, 1.0, 5e-324, 1e-310], 20)[:, np.newaxis]
    mlp = fit(X, X[:, 0], numeric_embedding="piecewise_linear", categorical_features=None)
    assert np.isfinite(mlp.embedding_.arrays["frequencies"]).all() and np.isfinite(mlp.predict(X)).all()


def test_bins_lie_between_quantiles():
    X = np.linspace(0, 10, 101)[:, np.newaxis]
    mlp = fit(X, X[:, 0], numeric_embedding=("piecewise_linear", {"n_bins": 5}), categorical_features=None)
    w, b = mlp.embedding_.arrays["frequencies"][0], mlp.embedding_.arrays["phases"][0]
    np.testing.assert_allclose(-b / w, [0, 2, 4, 6, 8], atol=1e-12)
    np.testing.assert_allclose(1 / w, 2)


def test_fixed_features_stay_and_learned_ones_move():
    X, y = table()
    for name, row in embeddings.items():
        before, after = (fit(X, y, numeric_embedding=name, max_iter=n).embedding_.arrays for n in (1, 5))
        assert same_bits(before["frequencies"], after["frequencies"]) == (not row.learned) if not row.learned else True
        for key in before.keys() - ({"frequencies", "phases"} if not row.learned else set()):
            assert (before[key] != after[key]).any(), (name, key)


# ---- looking inside ----


def test_inspection_takes_embedded_columns():
    X, y = table()
    mlp = fit(X, y)
    assert len(inspection.layer_report(mlp, X, y)) == 3
    assert np.isfinite(inspection.gradient_norms(mlp, X, y)).all()
    assert [len(units) for units in inspection.dead_units(mlp, X)] == [7, 5]


def test_maps_are_affine_where_columns_are_scaled_only():
    X, y = table()
    scaled = fit(
        X, y, numeric_embedding=None, categorical_features=None, activation="leaky_relu", learning_rate_init=0.1
    )
    for x in X[:10]:
        W, b = inspection.local_linear_map(scaled, x)
        np.testing.assert_allclose(W @ x + b, scaled.predict(x[np.newaxis]), rtol=1e-10, atol=1e-12)
    for embedded in (fit(X[:, :2], y, categorical_features=None, activation="relu"),
                     fit(abs(X[:, :2].round()), y, numeric_embedding=None, categorical_features=[0], activation="relu")):  # fmt: skip
        with pytest.raises(ValueError, match="embeds columns of X"):
            inspection.local_linear_map(embedded, X[0, :2])
        with pytest.raises(ValueError, match="embeds columns of X"):
            LinearRegionsDisplay.from_estimator(embedded, X[:, :2])


def test_sizes_agree_with_the_tables():
    assert PARAMETERS.keys() == embeddings.keys()
    for kind, scales in product(KINDS, (False, True)):
        X, y = table(20)
        mlp = fit(X, y, numeric_embedding=kind, scale_inputs=scales)
        assert mlp.embedding_.n_outputs == len(mlp.coefs_[0]) == (4 if kind is None else 12) + 6
