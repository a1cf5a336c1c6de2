"""Hidden layers that scikit-learn lacks: learned and random slopes, gates, maxout, dropout, user functions."""

import numpy as np
import pytest
from helpers import rng, same_bits
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import pyrelu as pr
from pyrelu import MLPClassifier
from pyrelu._mlp.activation import names, resolve


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0)


@pytest.fixture
def small():
    random = rng("layers")
    X = random.normal(size=(60, 4))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def fit(X, y, **parameters):
    with pytest.warns(Warning):  # it does not converge in so few epochs
        return MLPClassifier(**dict(hidden_layer_sizes=(6, 5), max_iter=5, random_state=0) | parameters).fit(X, y)


def by_hand(mlp, X):
    """The network's outputs, computed from its public attributes."""
    layers = zip(
        mlp.coefs_, mlp.intercepts_, resolve(mlp.activation, len(mlp.coefs_) - 1), mlp.activation_weights_, strict=False
    )
    for w, b, activation, slopes in layers:
        X = activation.forward(X @ w + b, slopes)
    return pr.sigmoid(X @ mlp.coefs_[-1] + mlp.intercepts_[-1]).ravel()


needs_parameters = {"threshold": {"threshold": 0.1, "value": -0.5}}


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "adamw"])
@pytest.mark.parametrize("name", names())
def test_trains_and_predicts(name, solver, small):
    mlp = fit(*small, activation=(name, needs_parameters.get(name, {})), solver=solver)
    np.testing.assert_allclose(mlp.predict_proba(small[0])[:, 1], by_hand(mlp, small[0]), rtol=1e-9)
    assert [len(w) for w in mlp.coefs_[1:]] == [6, 5]


def test_one_for_each_layer(small):
    mlp = fit(*small, activation=("swiglu", ("maxout", {"num_pieces": 3})))
    assert [w.shape for w in mlp.coefs_] == [(4, 12), (6, 15), (5, 1)]
    assert mlp.n_layers_ == 4
    np.testing.assert_allclose(mlp.predict_proba(small[0])[:, 1], by_hand(mlp, small[0]), rtol=1e-12)


def test_own_functions_are_as_good_as_ours(small):
    own = fit(*small, activation=(np.tanh, lambda x: 1 / np.cosh(x) ** 2))
    np.testing.assert_allclose(own.loss_curve_, fit(*small, activation="tanh").loss_curve_, rtol=1e-10)


def test_failed_function_leaves_the_estimator_as_it_was(small):
    mlp = MLPClassifier(activation=(np.sin, lambda x: 1 / 0), random_state=0)
    with pytest.raises(ZeroDivisionError):
        mlp.fit(*small)
    assert not hasattr(mlp, "coefs_")


def test_gelus_approximation_is_a_parameter(small):
    tanh = fit(*small, activation=("gelu", {"approximate": "tanh"}))
    assert tanh.loss_curve_ == fit(*small, activation="gelu_tanh").loss_curve_
    assert tanh.loss_curve_ != fit(*small, activation=("gelu", {"approximate": "none"})).loss_curve_


def test_learned_slopes(small):
    mlp = fit(*small, activation=("prelu", "relu"), max_iter=50)
    slopes, none = mlp.activation_weights_
    assert none is None
    assert slopes.shape == (6,)
    assert len(set(slopes.tolist())) == 6  # each unit learned its own
    assert 0 < abs(slopes - 0.25).max() < 1


def test_slopes_start_as_told_and_go_on(small):
    X, y = small
    mlp = MLPClassifier((6,), activation=("prelu", {"weight": 0.5}), random_state=0, learning_rate_init=1e-3)
    mlp.partial_fit(X, y, classes=[0, 1])
    first = mlp.activation_weights_[0].copy()
    assert 0 < abs(first - 0.5).max() < 2e-3
    mlp.partial_fit(X, y)
    assert 0 < abs(mlp.activation_weights_[0] - first).max() < 2e-3


def test_no_penalty_on_slopes(small):
    """With weights of 0 after the first layer no gradient reaches it: only the penalty changes its weights."""
    X, y = small
    mlp = MLPClassifier((6,), activation="prelu", random_state=0, alpha=100.0, solver="sgd", max_iter=1)
    mlp.partial_fit(X, y, classes=[0, 1])
    mlp.coefs_[1][:] = 0
    slopes, weights = mlp.activation_weights_[0].copy(), mlp.coefs_[0].copy()
    mlp._optimizer.state[0][:] = 0
    mlp.partial_fit(X, y)
    assert same_bits(mlp.activation_weights_[0], slopes)
    assert (abs(mlp.coefs_[0]) < abs(weights)).all()


def test_float32_slopes(small):
    X, y = small
    assert fit(X.astype(np.float32), y, activation="prelu").activation_weights_[0].dtype == np.float32


@pytest.mark.parametrize("name", ["rrelu", "relu"])
def test_chance_is_that_of_random_state(name, small):
    dropout = 0.0 if name == "rrelu" else (0.1, 0.5, 0.2)
    curves = [fit(*small, activation=name, dropout=dropout, random_state=seed).loss_curve_ for seed in (0, 0, 1)]
    assert curves[0] == curves[1] != curves[2]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_dropout_pays(digits):
    """A large network on few rows, trained to convergence."""
    X, X_test, y, y_test = digits
    settings = dict(max_iter=300, n_iter_no_change=1000, learning_rate_init=2e-3, batch_size=50, alpha=0)

    def score(dropout, seed):
        mlp = MLPClassifier((300,), dropout=dropout, random_state=seed, **settings)
        return mlp.fit(X[:200], y[:200]).score(X_test, y_test)

    scores = [np.mean([score(dropout, seed) for seed in range(3)]) for dropout in (0.0, (0.2, 0.5))]
    assert scores[1] > scores[0] + 0.005


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(dropout=(0.1, 0.2)), "dropout=.* has 2 entries; the input and 2 hidden layers take 3"),
        (dict(dropout=1.0), "'dropout' parameter of MLPClassifier must be a float in the range"),
        (dict(dropout=(0, 0, -0.1)), "'dropout' parameter"),
        (dict(dropout=0.5, solver="lbfgs"), "dropout=0.5 cannot be combined with solver='lbfgs'"),
        (dict(clip_norm=0), "'clip_norm' parameter"),
        (dict(l1=-1), "'l1' parameter"),
        (dict(n_threads=0), "'n_threads' parameter"),
        (dict(label_smoothing=1), "'label_smoothing' parameter"),
    ],
    ids=str,
)
def test_wrong_parameters(parameters, message, small):
    mlp = MLPClassifier((6, 5), **parameters)
    with pytest.raises(ValueError, match=message):
        mlp.fit(*small)
    assert not hasattr(mlp, "coefs_")


def test_clip_norm_and_penalties_train(small):
    for parameters in (dict(clip_norm=0.01), dict(l1=0.5), dict(label_smoothing=0.2), dict(n_threads=1)):
        mlp, plain = fit(*small, **parameters), fit(*small)
        assert (mlp.loss_curve_ == plain.loss_curve_) == ("n_threads" in parameters)


def test_l1_makes_weights_small_that_are_not_needed(digits):
    X, _, y, _ = digits
    plain, sparse = (fit(X, y, hidden_layer_sizes=(30,), l1=l1, alpha=0, max_iter=100) for l1 in (0.0, 0.2))
    assert (abs(sparse.coefs_[0]) < 1e-2).mean() > 3 * (abs(plain.coefs_[0]) < 1e-2).mean()


def test_adamw_decays_weights_by_itself(small):
    """With no gradient to follow, only the weights shrink, by the learning rate times alpha a step."""
    X, y = small
    mlp = MLPClassifier((6,), solver="adamw", alpha=0.5, learning_rate_init=0.1, batch_size=60, random_state=0)
    mlp.partial_fit(X, y, classes=[0, 1])
    mlp.coefs_[1][:] = 0
    for state in mlp._optimizer.state:
        state[:] = 0
    weights, biases = mlp.coefs_[0].copy(), mlp.intercepts_[0].copy()
    mlp.partial_fit(X, y)
    np.testing.assert_allclose(mlp.coefs_[0], weights * (1 - 0.1 * 0.5), rtol=1e-12)
    assert same_bits(mlp.intercepts_[0], biases)


def test_adamw_is_torchs():
    torch = pytest.importorskip("torch")
    from pyrelu._mlp.optimizers import AdamW
    from pyrelu._network import Network
    from pyrelu._samples import Samples

    random = rng("adamw")
    parameters = random.normal(size=6 * 1 + 1)
    w, b = parameters[:6].reshape(6, 1), parameters[6:]
    network = Network([w], [b], [], 0, "squared_error", (), parameters)
    X, y = random.normal(size=(40, 6)), random.normal(size=(40, 1))
    solver = AdamW(parameters, MLPClassifier(alpha=0.3, learning_rate_init=0.01, epsilon=1e-300))
    theirs = [torch.tensor(array.copy(), requires_grad=True) for array in (w, b)]
    groups = [dict(params=theirs[:1], weight_decay=0.3), dict(params=theirs[1:], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, lr=0.01, eps=1e-300)  # where epsilon is added differs
    for _ in range(20):
        network.train(Samples(X, y), None, 40, solver)
        optimizer.zero_grad()
        (((torch.tensor(X) @ theirs[0] + theirs[1] - torch.tensor(y)) ** 2).mean() / 2).backward()
        optimizer.step()
    np.testing.assert_allclose(w, theirs[0].detach().numpy(), rtol=1e-9)
    np.testing.assert_allclose(b, theirs[1].detach().numpy(), rtol=1e-9)


# ---- x + a (f(x) - x) ----


def elementwise():
    """Yield the names of activations that can have a learned share, and of those that cannot."""
    for name in names():
        activation = ("threshold", {"threshold": 0.1, "value": 0.2}) if name == "threshold" else name
        yield activation, resolve(activation, 1)[0].transform == "elementwise"


@pytest.mark.parametrize("activation", [one for one, can in elementwise() if can], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parametric_activations(activation, dtype, small):
    """They start as f, and each unit learns a share of its own."""
    X, y = small[0].astype(dtype), small[1]
    mlp = MLPClassifier((300, 4), activation=(activation, "relu"), parametric_activation=True, random_state=0)
    mlp.partial_fit(X, y, classes=[0, 1])
    shares = mlp.activation_weights_
    assert [a.shape for a in shares] == [(300,), (4,)] and shares[0].dtype == dtype
    assert abs(shares[0] - 1).max() < 2e-3
    shares[0][:], shares[1][:] = np.linspace(-1, 2, 300), 0.5
    f = resolve(activation, 1)[0].forward
    z = X.astype(float) @ mlp.coefs_[0] + mlp.intercepts_[0]
    z = (z + shares[0] * (f(z) - z)) @ mlp.coefs_[1] + mlp.intercepts_[1]
    logits = ((z + np.maximum(z, 0)) / 2) @ mlp.coefs_[2] + mlp.intercepts_[2]
    # float32 may take the other branch of a jump
    if dtype == np.float64:
        np.testing.assert_allclose(mlp.predict_proba(X)[:, 1], 1 / (1 + np.exp(-logits[:, 0])), rtol=1e-9, atol=1e-12)


def test_parametric_activation_is_the_activation_while_its_share_is_1(small):
    X, y = small
    still = {"activations": {"learning_rate": 0.0}}
    plain, parametric = (
        fit(X, y, activation="gelu", parametric_activation=p, param_groups=still) for p in (False, True)
    )
    np.testing.assert_allclose(parametric.predict_proba(X), plain.predict_proba(X), rtol=1e-9)
    assert (parametric.activation_weights_[0] == 1).all()
    assert (fit(X, y, activation="gelu", parametric_activation=True).activation_weights_[0] != 1).any()


@pytest.mark.parametrize("activation", [one for one, can in elementwise() if not can] + [(np.tanh, np.cos)], ids=str)
def test_parametric_activations_are_elementwise(activation, small):
    with pytest.raises(ValueError, match="parametric_activation=True does not go with activation="):
        MLPClassifier((6, 4), activation=[activation, "relu"], parametric_activation=True).fit(*small)


# ---- drop_last ----


@pytest.mark.parametrize("batch_size", [32, 7, 60, 100])
def test_drop_last(batch_size, small):
    """It is a fit to the rows of whole batches."""
    X, y = small
    n = len(X)
    whole = n // min(batch_size, n) * min(batch_size, n)
    given = dict(batch_size=min(batch_size, n), shuffle=False, max_iter=3)
    dropped, expected = fit(X, y, **given, drop_last=True), fit(X[:whole], y[:whole], **given)
    assert dropped.t_ == 3 * whole
    assert all(map(same_bits, dropped.coefs_, expected.coefs_))
    assert dropped.loss_curve_ == expected.loss_curve_
