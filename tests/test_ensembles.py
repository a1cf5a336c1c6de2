"""Ensembles that share weights (`ensemble_size`): gradients, members as networks, threads, files, and what refuses them."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse
from helpers import few_epochs, rng, same_bits
from sklearn.base import clone

from pyrelu import MLPClassifier, MLPRegressor, inspection
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu._network import MAX_MEMBERS
from pyrelu._samples import Samples
from pyrelu.callbacks import Checkpoint
from pyrelu.exceptions import InvalidFileError, InvalidParameterError
from pyrelu.registry import embeddings, losses

pytestmark = few_epochs

K = 5


def rows(n=70, dtype=np.float64):
    random = rng("rows", n)
    X = random.normal(size=(n, 4))
    X[:, 3] = random.integers(0, 3, n)
    X[0, 3] = 2
    return X.astype(dtype)


X = rows()
CLASSES = np.array(["a", "b", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)]
TARGETS = {
    "two classes": (MLPClassifier, CLASSES == "a"),
    "three classes": (MLPClassifier, CLASSES),
    "labels": (MLPClassifier, (X[:, :3] > 0).astype(int)),
    "number": (MLPRegressor, X[:, 0] * X[:, 1]),
    "numbers": (MLPRegressor, np.abs(X[:, :2])),
}


def fit(cls=MLPClassifier, y=CLASSES, X=X, **parameters):
    given = dict(hidden_layer_sizes=(7, 5), activation="gelu", max_iter=3, random_state=0, ensemble_size=K)
    return cls(**given | parameters).fit(X, y)


def outputs(mlp, X=X):
    return mlp.predict_proba(X) if hasattr(mlp, "predict_proba") else mlp.predict(X)


# ---- arithmetic ----


def of_numpy(mlp, parameters, X, y, weights):
    """The mean loss of members of tanh networks, and its gradient, written down anew: one member after the other."""
    k, n_hidden = mlp.ensemble_size, len(mlp.coefs_) - 1
    _, shapes = pack(mlp._arrays(), float)
    arrays, at = [], 0
    for group in shapes:
        arrays.append([])
        for array in group:
            if array is not None:
                arrays[-1].append(parameters[at : at + array.size].reshape(array.shape))
                at += array.size
    coefs, biases, _, adapters, _ = arrays
    gradients = [[np.zeros_like(array) for array in group] for group in (coefs, biases, adapters)]
    loss = 0.0
    for m in range(k):
        x, inputs, adapted, products, after = X, [], [], [], []
        for i in range(n_hidden):
            inputs.append(x)
            adapted.append(x * adapters[2 * i][m])
            products.append(adapted[-1] @ coefs[i])
            b = biases[i].reshape(k, -1)[m]
            x = np.tanh(products[-1] * adapters[2 * i + 1][m] + b)
            after.append(x)
        n_out = coefs[-1].shape[1] // k
        own = slice(m * n_out, (m + 1) * n_out)
        y_pred = x @ coefs[-1][:, own] + biases[-1][own]
        loss += (weights * ((y_pred - y) ** 2 / 2).mean(axis=1)).sum() / k
        delta = (y_pred - y) * weights[:, np.newaxis] / k  # of the sum over outputs, as in scikit-learn
        gradients[0][-1][:, own] = x.T @ delta
        gradients[1][-1][own] = delta.sum(axis=0)
        g = delta @ coefs[-1][:, own].T
        for i in reversed(range(n_hidden)):
            g = g * (1 - after[i] ** 2)
            gradients[1][i].reshape(k, -1)[m] = g.sum(axis=0)
            gradients[2][2 * i + 1][m] = (g * products[i]).sum(axis=0)
            g = g * adapters[2 * i + 1][m]
            gradients[0][i] += adapted[i].T @ g
            g = g @ coefs[i].T
            gradients[2][2 * i][m] = (g * inputs[i]).sum(axis=0)
            g = g * adapters[2 * i][m]
    return loss, np.concatenate([array.ravel() for group in gradients for array in group])


def core(mlp, dropout=0.0):
    """Return a function from rows to the loss and its gradient, sums over rows, and the parameters in place."""
    parameters, arrays = pack(mlp._arrays(), np.float64)
    mlp._set_arrays(arrays, np.float64)
    n_hidden = len(mlp.coefs_) - 1
    network = mlp._network(mlp._arrays(), parameters, [dropout] * (n_hidden + 1), mlp._output_loss())
    solver = Gradient(parameters, mlp)

    def sums(X, targets, weights):
        solver.t = 0  # drops the same units
        total = weights.sum()
        loss = network.train(Samples(X, targets, weights), None, len(X), solver).loss
        return loss * total, solver.state[0] * total

    return sums, parameters


@pytest.mark.parametrize("n", [3, 300])
@pytest.mark.parametrize("n_members", [2, 32])
def test_loss_and_gradient_are_those_of_numpy(n, n_members):
    """Of a block of rows, and of more than a micro-batch, which has 32 rows of 32 members."""
    random, X = rng("numpy", n, n_members), rows(n)
    y, weights = random.normal(size=(n, 2)), random.uniform(0.5, 2, n)
    mlp = fit(MLPRegressor, y, X, activation="tanh", alpha=0.0, ensemble_size=n_members)
    sums, parameters = core(mlp)
    parameters += random.normal(0, 0.3, len(parameters))
    got, want = sums(X, y, weights), of_numpy(mlp, parameters.copy(), X, y, weights)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-9, atol=1e-11 * abs(want[1]).max())


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": ["prelu", "softmax"]},
        {"activation": ["maxout", "glu"]},
        {"activation": (np.sin, np.cos)},
        {"activation": "selu", "parametric_activation": True, "dropout": 0.3},
        {"activation": "rrelu", "alpha": 0.3, "l1": 0.2},
        {"loss": ("focal", {"gamma": 1.5}), "label_smoothing": 0.1},
        *({"numeric_embedding": name, "scale_inputs": True, "dropout": 0.2} for name in embeddings),
        {"categorical_features": [3], "param_groups": {"adapters": {"alpha": 1.0}}, "alpha": 0.5},
    ],
    ids=str,
)
def test_gradients_by_central_differences(settings):
    mlp = fit(**settings | {"dropout": 0.0, "init": "unit_variance"})
    sums, parameters = core(mlp, settings.get("dropout", 0.0))
    parameters += rng("away from 1").normal(0, 0.1, len(parameters))
    targets = np.searchsorted(mlp.classes_, CLASSES)[:, np.newaxis].astype(float)
    weights = rng("weights").uniform(0.5, 2, len(X))
    got, step = sums(X, targets, weights)[1].copy(), 1e-6
    want = np.empty_like(got)
    for i, start in enumerate(parameters):
        parameters[i] = start + step
        above = sums(X, targets, weights)[0]
        parameters[i] = start - step
        want[i] = (above - sums(X, targets, weights)[0]) / (2 * step)
        parameters[i] = start
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6 * abs(want).max())


@pytest.mark.parametrize("target", TARGETS)
def test_the_ensemble_is_the_mean_of_its_members(target):
    mlp = fit(*TARGETS[target])
    members = mlp.members()
    assert len(members) == K and all(one.ensemble_size == 1 for one in members)
    of_each = [outputs(one) for one in members]
    assert all(abs(one - of_each[0]).max() > 1e-3 for one in of_each[1:])
    np.testing.assert_allclose(np.mean(of_each, axis=0), outputs(mlp), rtol=1e-12)


def test_members_are_saved_and_trained_on_as_networks_of_their_own(tmp_path):
    for member in fit().members():
        assert not hasattr(member, "_optimizer")  # its state is that of all members' weights
        member.save(tmp_path / "member")
        assert same_bits(MLPClassifier.load(tmp_path / "member").predict_proba(X), member.predict_proba(X))
        before = member.coefs_[0].copy()
        assert 0 < abs(member.partial_fit(X, CLASSES).coefs_[0] - before).max() < 0.01


@pytest.mark.parametrize("loss", [name for name in losses if losses[name].estimator == "regressor"])
def test_every_loss_of_numbers_is_the_mean_over_members(loss):
    y = np.abs(X[:, 0]) + 0.1
    mlp = fit(MLPRegressor, y, loss=loss, alpha=0.0, max_iter=1)
    sums, _ = core(mlp)
    got = sums(X, y[:, np.newaxis].copy(), np.ones(len(X)))[0]
    of_rows = [mlp._output_loss().of_rows(y[:, np.newaxis], one.predict(X)[:, np.newaxis])[0] for one in mlp.members()]
    np.testing.assert_allclose(got, np.mean(of_rows, axis=0).sum(), rtol=1e-10)


def test_the_users_own_loss():
    y = X[:, 0]
    own = fit(MLPRegressor, y, loss=(lambda t, p: (p - t) ** 2 / 2, lambda t, p: p - t))
    known = fit(MLPRegressor, y)
    np.testing.assert_allclose(own.predict(X), known.predict(X), rtol=1e-10)


def test_equal_members_step_as_one_network():
    """The weights that they share have the mean of their gradients."""
    given = dict(solver="sgd", alpha=0.0, shuffle=False, param_groups={"adapters": {"learning_rate": 0.0}})
    mlp = fit(MLPRegressor, X[:, 0], ensemble_size=2, max_iter=1, **given)
    mlp.adapters_[0][1] = mlp.adapters_[0][0]
    for array in (*mlp.intercepts_, mlp.coefs_[-1].T):
        array[len(array) // 2 :] = array[: len(array) // 2]
    one = mlp.members()[0]
    for network in (mlp, one):
        network.set_params(warm_start=True, learning_rate_init=0.1, max_iter=1).fit(X, X[:, 0])
    for got, want in zip(mlp.members()[1].coefs_[:-1], one.coefs_[:-1], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


# ---- bits ----


@pytest.mark.parametrize("solver", ["adam", "lamb", "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_a_bit(solver, dtype):
    X = rows(800, dtype)
    given = dict(
        hidden_layer_sizes=(150, 130), batch_size=300, solver=solver, numeric_embedding="periodic", clip_norm=0.5
    )
    given |= {} if solver == "lbfgs" else {"dropout": (0.1, 0.1, 0.1)}
    one, *others = (fit(MLPRegressor, X[:, 0], X, n_threads=n, ensemble_size=8, **given) for n in (1, 2, 3))
    assert one.coefs_[0].dtype == dtype
    for other in others:
        for a, b in zip(one._arrays(), other._arrays(), strict=True):
            assert all(map(same_bits, a, b))
        assert same_bits(one.predict(X), other.predict(X))


def test_blas_computes_the_same():
    """Products of all members at once may be large enough for BLAS."""
    X = rng("blas").normal(size=(70, 700))
    mlp = fit(MLPRegressor, X[:, 0], X, hidden_layer_sizes=(400,), ensemble_size=16, max_iter=1)
    np.testing.assert_allclose(np.mean([one.predict(X) for one in mlp.members()], axis=0), mlp.predict(X), rtol=1e-9)


@pytest.mark.parametrize("settings", [{}, {"init": "unit_variance", "numeric_embedding": "periodic"}], ids=str)
def test_one_member_is_no_ensemble(settings):
    plain, one = fit(ensemble_size=1, **settings), MLPClassifier((7, 5), "gelu", max_iter=3, random_state=0, **settings)
    one.fit(X, CLASSES)
    assert not hasattr(plain, "adapters_")
    assert same_bits(plain.predict_proba(X), one.predict_proba(X))
    [member] = plain.members()
    assert same_bits(member.predict_proba(X), one.predict_proba(X))


# ---- how it begins ----


def test_members_begin_as_tabm_has_them():
    signs, *ones = fit(learning_rate_init=1e-300).adapters_
    assert set(np.unique(signs)) == {-1.0, 1.0} and all((one == 1).all() for one in ones)
    factors, *ones = fit(
        learning_rate_init=1e-300, numeric_embedding="periodic", categorical_features=[3], embedding_size=3
    ).adapters_
    assert all((one == 1).all() for one in ones) and factors.shape == (K, 3 * 4 + 3)
    starts = [0, 4, 8, 12]
    assert same_bits(factors, np.repeat(factors[:, starts], [4, 4, 4, 3], axis=1))
    assert len(np.unique(factors[:, starts])) == K * 4


@pytest.mark.parametrize("init", ["auto", "he_normal", ("orthogonal", {"bias_std": 0.5})])
def test_members_share_their_first_biases_but_for_the_output_layer(init):
    mlp = fit(learning_rate_init=1e-300, init=init)
    for biases in mlp.intercepts_[:-1]:
        assert abs(biases.reshape(K, -1) - biases[: len(biases) // K]).max() < 1e-290
    heads = mlp.coefs_[-1].reshape(5, K, 3)
    assert len(np.unique(heads)) == heads.size


def test_unit_variance_is_that_of_all_members():
    X = rows(400)
    mlp = fit(X=X, y=X[:, 0] > 0, init="unit_variance", learning_rate_init=1e-300, ensemble_size=3)
    z = np.stack([X * r @ mlp.coefs_[0] for r in mlp.adapters_[0]])
    np.testing.assert_allclose(z.std(axis=(0, 1)), 1, rtol=1e-9)


# ---- training ----


def test_it_learns():
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    mlp = fit(MLPRegressor, y, max_iter=200, learning_rate_init=0.01, hidden_layer_sizes=(30,), tol=0)
    assert mlp.score(X, y) > 0.97
    assert all(abs(array - 1).max() > 1e-3 for array in mlp.adapters_[1:])


def test_lbfgs():
    y = np.sin(X[:, 0])
    assert fit(MLPRegressor, y, solver="lbfgs", max_iter=100).score(X, y) > 0.97


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_groups_leave_adapters_alone(solver):
    frozen, free = (fit(solver=solver, param_groups={"adapters": {"learning_rate": rate}}) for rate in (0.0, 1.0))
    assert all((one == 1).all() for one in frozen.adapters_[1:])
    assert all((one != 1).any() for one in free.adapters_[1:])


def test_sample_weights_are_repetitions():
    given = dict(shuffle=False, max_iter=5, alpha=0.0)
    weights = np.arange(len(X)) % 3
    repeated = np.repeat(np.arange(len(X)), weights)
    weighted = MLPClassifier((7, 5), "gelu", random_state=0, ensemble_size=K, **given).fit(X, CLASSES, weights)
    again = fit(X=X[repeated], y=CLASSES[repeated], **given)
    np.testing.assert_allclose(weighted.predict_proba(X), again.predict_proba(X), rtol=1e-8)


def test_class_weights():
    heavy = fit(class_weight={"a": 100.0, "b": 1.0, "c": 1.0}, max_iter=50, learning_rate_init=0.02)
    assert (heavy.predict(X) == "a").mean() > 1.5 * (CLASSES == "a").mean()


def test_dropout_differs_between_members():
    """Of two equal members, each drops units of its own."""
    seen = []

    def activation(z):
        seen.append(z.copy())
        return z

    mlp = MLPRegressor(
        hidden_layer_sizes=(40, 40), activation=["relu", (activation, np.ones_like)], dropout=0.5, ensemble_size=2,
        init=lambda shape, _: np.eye(*shape), learning_rate_init=1e-300, max_iter=1, random_state=0, n_threads=1,
    ).fit(np.ones((60, 40)), np.zeros(60))  # fmt: skip
    first, second = (abs(seen[0]) > 0).reshape(-1, 2, 40).swapaxes(0, 1)
    shares = mlp.adapters_[0] > 0  # relu passes these on
    assert 0.3 < (first != second)[:, shares.all(axis=0)].mean() < 0.7


def test_partial_fit_and_warm_start_go_on():
    mlp = MLPClassifier((7,), ensemble_size=K, random_state=0, max_iter=1)
    for _ in range(3):
        mlp.partial_fit(X, CLASSES, classes=["a", "b", "c"])
    before = [array.copy() for array in mlp.adapters_]
    mlp.partial_fit(X, CLASSES)
    assert all(0 < abs(a - b).max() < 0.01 for a, b in zip(before, mlp.adapters_, strict=True))
    mlp.set_params(warm_start=True).fit(X, CLASSES)
    assert all(0 < abs(a - b).max() < 0.02 for a, b in zip(before, mlp.adapters_, strict=True))


def test_early_stopping_keeps_the_best():
    mlp = fit(early_stopping=True, validation_fraction=0.3, max_iter=30, n_iter_no_change=5)
    assert mlp.best_validation_score_ == max(mlp.validation_scores_)


def test_dead_units_are_dead_in_all_members():
    mlp = fit(activation="relu", max_iter=20)
    dead = [
        np.all([of_one[i] for of_one in [inspection.dead_units(m, X) for m in mlp.members()]], axis=0) for i in (0, 1)
    ]
    for got, want in zip(mlp.dead_units_, dead, strict=True):
        assert same_bits(got, want)


# ---- what keeps it ----


@pytest.mark.parametrize("target", TARGETS)
def test_files_and_pickles(target, tmp_path):
    mlp = fit(*TARGETS[target])
    mlp.save(tmp_path / "a")
    for again in (type(mlp).load(tmp_path / "a"), pickle.loads(pickle.dumps(mlp)), copy.deepcopy(mlp)):
        assert same_bits(outputs(again), outputs(mlp))
        assert again.ensemble_size == K
    assert clone(mlp).ensemble_size == K


@pytest.mark.parametrize(
    "wrong",
    [
        lambda adapters: [],
        lambda adapters: adapters[:-1],
        lambda adapters: adapters[::-1],
        lambda adapters: [adapters[0][:-1], *adapters[1:]],
        lambda adapters: [array[:1] for array in adapters],
        lambda adapters: [*adapters[:-1], adapters[-1][:, :-1].copy()],
        lambda adapters: [adapters[0].ravel(), *adapters[1:]],
        lambda adapters: [adapters[0].astype(int), *adapters[1:]],
    ],
)
def test_wrong_adapters_are_refused(wrong, tmp_path):
    mlp = fit()
    mlp.adapters_ = wrong(mlp.adapters_)
    mlp.save(tmp_path / "a")  # as a forger would
    with pytest.raises(InvalidFileError):
        MLPClassifier.load(tmp_path / "a")


def test_checkpoints_resume(tmp_path):
    given = dict(max_iter=6, dropout=0.2)
    whole = fit(**given)
    first = MLPClassifier((7, 5), "gelu", random_state=0, ensemble_size=K, **given | {"max_iter": 3})
    pytest.importorskip("sklearn.callback")
    first.set_callbacks(Checkpoint(tmp_path / "a", every=1)).fit(X, CLASSES)
    again = MLPClassifier((7, 5), "gelu", random_state=0, ensemble_size=K, **given)
    again.set_callbacks(Checkpoint(tmp_path / "a", every=1)).fit(X, CLASSES)
    for a, b in zip(whole._arrays(), again._arrays(), strict=True):
        assert all(map(same_bits, a, b))


def test_the_parameter_may_change_after_the_fit():
    """As other parameters of the network, it says what the next fit makes."""
    mlp = fit()
    before = mlp.predict_proba(X)
    assert same_bits(mlp.set_params(ensemble_size=2).predict_proba(X), before)
    assert len(mlp.members()) == K


# ---- what refuses it ----


@pytest.mark.parametrize("value", [0, -1, MAX_MEMBERS + 1, 2.0, "two", True, None])
def test_wrong_sizes(value):
    with pytest.raises(InvalidParameterError, match="ensemble_size"):
        fit(ensemble_size=value)


def test_there_must_be_something_to_share():
    with pytest.raises(InvalidParameterError, match="ensemble_size=5 needs hidden layers"):
        fit(hidden_layer_sizes=())


def test_sparse_rows():
    sparse = scipy.sparse.csr_array(X)
    with pytest.raises(ValueError, match="ensemble_size > 1.*does not take a sparse X"):
        fit(X=sparse)
    with pytest.raises(ValueError, match="does not take a sparse X"):
        fit().predict(sparse)


@pytest.mark.parametrize(
    "call",
    [
        lambda mlp: mlp.to_sklearn(),
        lambda mlp: inspection.layer_report(mlp, X, CLASSES),
        lambda mlp: inspection.dead_units(mlp, X),
        lambda mlp: inspection.unit_activity(mlp, X),
        lambda mlp: inspection.gradient_norms(mlp, X, CLASSES),
        lambda mlp: inspection.local_linear_map(mlp, X[0]),
    ],
)
def test_what_takes_members_only(call):
    mlp = fit(activation="relu")
    with pytest.raises(ValueError, match=r"ensemble.*ensemble_size=5.*members\(\)"):
        call(mlp)
    call(mlp.members()[0])


def test_conversion_of_a_member():
    for one in fit(activation="relu").members():
        np.testing.assert_allclose(one.to_sklearn().predict_proba(X), one.predict_proba(X), rtol=1e-10)
    with pytest.raises(ValueError, match="no parameter 'ensemble_size'"):
        MLPClassifier(ensemble_size=2).to_sklearn()
