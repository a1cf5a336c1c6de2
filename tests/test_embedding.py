"""Embeddings of columns and scales of inputs: formulas, gradients, wrong arguments, and what keeps them."""

import copy
import pickle
import re
from itertools import product

import mpmath
import numpy as np
import pytest
import scipy.sparse
from helpers import few_epochs, rng, same_bits

from pyrelu import MLPRegressor, inspection
from pyrelu._mlp.activation import resolve_of
from pyrelu._mlp.embedding import MAX_EMBEDDING_SIZE as MAX_SIZE
from pyrelu._mlp.embedding import PARAMETERS, InputEmbedding
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.callbacks import Checkpoint
from pyrelu.exceptions import InvalidFileError, InvalidParameterError
from pyrelu.plot import LinearRegionsDisplay
from pyrelu.registry import embeddings

pytestmark = few_epochs

NO_COLUMNS = np.empty(0, np.intp)
EXACT = {"cos": mpmath.cos, "pi": mpmath.pi, "clip": lambda y, low, high: min(max(y, low), high)}
FULL = dict(
    numeric_embedding="periodic",
    categorical_features=[2, 5],
    embedding_size=3,
    scale_inputs=True,
    parametric_activation=True,
)
KINDS = (None, *((name, {"size": 3, next(iter(PARAMETERS[name])): 5}) for name in embeddings))


def table(n=120, dtype=np.float64):
    """Rows with numbers in four columns and categories in two, and a number to predict."""
    random = rng("table", n)
    X = random.normal(size=(n, 6))
    X[:, 2], X[:, 5] = random.integers(0, 5, n), random.integers(0, 3, n)
    X[0, [2, 5]] = 4, 2
    return X.astype(dtype), (np.sin(X[:, 0]) + (X[:, 2] == 2)).astype(dtype)


def fit(X, y, cls=MLPRegressor, **parameters):
    given = dict(hidden_layer_sizes=(7, 5), activation="gelu", max_iter=2, random_state=0) | FULL
    return cls(**given | parameters).fit(X, y)


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
