"""Every row of the table of optimizers against its update, evaluated step by step with more bits, and against torch."""

import pickle
import re
from itertools import pairwise

import numpy as np
import pytest
from helpers import few_epochs, rng, same_bits

from pyrelu import MLPRegressor
from pyrelu._mlp.activation import resolve
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu._mlp.param_groups import GROUPS
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.registry import optimizers, parameter_groups

LONG = np.longdouble
SETTINGS = dict(momentum=0.7, beta_1=0.8, beta_2=0.95, epsilon=1e-3, learning_rate_init=0.02, alpha=0.3, l1=0.05)


class Problem:
    """A small network, some rows, and the row's rule applied to the gradients that the core measures."""

    def __init__(self, name, dtype, units=(5, 4, 3), n=40, n_threads=None, **settings):
        random = rng("optimizer", units)
        form = {"nesterov": dict(solver="sgd"), "sgd": dict(solver="sgd", nesterovs_momentum=False)}
        given = SETTINGS | form.get(name, dict(solver=name)) | settings
        self.mlp, self.row = MLPRegressor(**given), optimizers[name]
        shapes = list(pairwise(units))
        groups = (
            [random.normal(size=s) for s in shapes],
            [random.normal(size=s[1]) for s in shapes],
            [np.full(units[1], 0.25)],
        )
        groups[2].extend([None] * (len(shapes) - 2))
        groups[1][0][:] = 0  # an array without a norm
        activations = [*resolve("prelu", 1), *resolve("tanh", len(shapes) - 2)]
        self.parameters, self.arrays = pack(groups, dtype)
        weights, biases, slopes = self.arrays
        self.network = Network(
            weights, biases, activations, 0, "squared_error", slopes, self.parameters, n_threads=n_threads
        )
        self.samples = Samples(
            random.normal(size=(n, units[0])).astype(dtype), random.normal(size=(n, units[-1])).astype(dtype)
        )
        self.optimizer = STOCHASTIC[self.mlp.solver](self.parameters, self.mlp)
        self.states = [np.zeros(len(self.parameters), LONG) for _ in "mv"]
        self.t = 0

    def places(self):
        """Yield for each array its place in the buffer, its kind and the factor of its layer on the learning rate."""
        start = 0
        for k, group in enumerate(self.arrays):
            for array in group:
                if array is not None:
                    yield slice(start, start + array.size), GROUPS[k], 1.0
                    start += array.size

    def gradient(self):
        """The gradient of the loss with its penalties, before it is clipped, without a decoupled decay."""
        solver = Gradient(self.parameters, self.mlp)
        solver.alpha, solver.clip_norm = self.optimizer.alpha, np.inf
        self.network.train(self.samples, None, self.samples.n_samples, solver)
        return solver.state[0].astype(LONG)

    def expected(self):
        """Return the parameters after the next step."""
        gradient, result = self.gradient(), self.parameters.astype(LONG)
        norm = np.sqrt((gradient**2).sum())
        if self.mlp.clip_norm is not None and norm > self.mlp.clip_norm:
            gradient *= self.mlp.clip_norm / norm
        self.t += 1
        # the ratio of an array without a norm is 1; a decoupled decay does not depend on the parametrization
        update = self.row.update.replace("norm(w)/norm(u)", "ratio(w, u)").replace("lr*alpha*w", "lr/ntk*alpha*w")
        for place, group, ntk in self.places():
            factors = (self.mlp.param_groups or {}).get(group, {})
            lr = LONG(self.mlp.learning_rate_init) * factors.get("learning_rate", 1.0) * ntk
            alpha = LONG(self.mlp.alpha) * factors.get("alpha", parameter_groups[group].alpha)
            scope = {name: LONG(getattr(self.mlp, name)) for name in self.row.hyperparameters}
            scope |= {"lr": lr, "ntk": ntk, "alpha": alpha, "t": self.t, "g": gradient[place], "w": result[place]}
            scope |= dict(zip("mv", (state[place] for state in self.states), strict=True))
            scope |= {"sqrt": np.sqrt, "sign": np.sign, "ratio": ratio}
            exec(update, {"__builtins__": {}}, scope)
            result[place] = scope["w"]
            for state, name in zip(self.states, "mv", strict=True):
                state[place] = scope[name]
        return result

    def step(self):
        self.network.train(self.samples, None, self.samples.n_samples, self.optimizer)
        return self.parameters


def ratio(w, u):
    norms = np.sqrt((w**2).sum()), np.sqrt((u**2).sum())
    return norms[0] / norms[1] if all(norms) else LONG(1)


# those with a running mean of gradients, to which their steps are proportional
MOMENTUM = [
    name
    for name, row in optimizers.items()
    if row.scope == "element" and row.update.startswith(("m = momentum*m", "m = beta_1*m"))
]


@pytest.mark.parametrize("name", MOMENTUM)
def test_momentum_of_what_no_longer_learns_ends_as_0(name):
    """It is never subnormal, which would take processors a hundred times as long, and no step differs by that."""
    problem = Problem(name, np.float32, alpha=0.0, l1=0.0)
    gradient = rng("momentum").normal(size=len(problem.parameters)).astype(np.float32)
    problem.gradient = lambda: gradient.astype(LONG)
    tiny = np.finfo(np.float32).tiny
    for _ in range(600):
        want = problem.expected()
        problem.network.step(gradient, 1.0, problem.optimizer)
        np.testing.assert_allclose(problem.parameters, want.astype(np.float32), rtol=3e-5, atol=1e-7)
        momentum = np.abs(problem.optimizer.state[0])
        assert not ((momentum > 0) & (momentum < tiny)).any()
        gradient = np.zeros_like(gradient)
    assert not momentum.any()


@pytest.mark.parametrize("clip_norm", [None, 0.3], ids=["whole", "clipped"])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 3e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("name", optimizers)
def test_steps_are_those_of_the_update(name, dtype, rtol, clip_norm):
    problem = Problem(name, dtype, clip_norm=clip_norm)
    for _ in range(4):
        want, before = problem.expected(), problem.parameters.copy()
        got = problem.step()
        moved = abs(want - before).max()
        assert moved > 1e-4
        np.testing.assert_allclose(got.astype(LONG), want, rtol=0, atol=rtol * max(1, abs(want).max()))
    for state, want in zip(problem.optimizer.state, problem.states, strict=False):
        np.testing.assert_allclose(state, want, rtol=0, atol=rtol * abs(want).max())


@pytest.mark.parametrize("clip_norm", [None, 0.1])
@pytest.mark.parametrize("name", optimizers)
def test_threads_do_not_change_a_bit(name, clip_norm, threads):
    results = []
    for n in (1, 2):
        threads(n)
        problem = Problem(name, np.float32, (200, 300, 250, 10), n=1500, clip_norm=clip_norm)
        for _ in range(2):
            problem.network.train(problem.samples, None, 700, problem.optimizer)
        results.append([problem.parameters, *problem.optimizer.state])
    assert all(map(same_bits, *results))


def test_norms_are_of_whole_arrays():
    """Of a layer so large that several blocks of its weights are worked on."""
    problem = Problem("lamb", np.float64, (600, 300, 10), n=300, clip_norm=0.5)
    want = problem.expected()
    np.testing.assert_allclose(problem.step().astype(LONG), want, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", optimizers)
def test_weights_without_gradient_stay(name):
    problem = Problem(name, np.float64, alpha=0.0, l1=0.0)
    targets = rng("no inputs").normal(size=(40, 3))
    problem.samples = Samples(np.zeros((40, 5)), targets)
    before = problem.arrays[0][0].copy()
    for _ in range(2):
        want = problem.expected()
        np.testing.assert_allclose(problem.step().astype(LONG), want, rtol=0, atol=1e-12)
    assert same_bits(problem.arrays[0][0], before)


def test_a_divergent_step_shows():
    for name in optimizers:
        problem = Problem(name, np.float64)
        problem.parameters[0] = np.nan
        assert np.isnan(problem.step()[1:]).any(), name


TORCH = {
    "sgd": ("SGD", dict(momentum=0.7)),
    "nesterov": ("SGD", dict(momentum=0.7, nesterov=True)),
    "adam": ("Adam", dict(betas=(0.8, 0.95), eps=1e-12)),
    "adamw": ("AdamW", dict(betas=(0.8, 0.95), eps=1e-12, weight_decay=0.3)),
    "rmsprop": ("RMSprop", dict(alpha=0.95, eps=1e-3)),
}


@pytest.mark.parametrize("name", TORCH)
def test_steps_are_torchs(name):
    torch = pytest.importorskip("torch")
    cls, settings = TORCH[name]
    epsilon = settings.get("eps", 1e-3)
    problem = Problem(name, np.float64, units=(5, 4, 3), l1=0.0, epsilon=epsilon, alpha=0.3 if name == "adamw" else 0.0)
    places = list(problem.places())
    tensors = [torch.tensor(problem.parameters[place].copy()) for place, _, _ in places]
    groups = [
        {"params": [tensor]} | ({} if group == "weights" or name != "adamw" else {"weight_decay": 0.0})
        for tensor, (_, group, _) in zip(tensors, places, strict=True)
    ]
    theirs = getattr(torch.optim, cls)(groups, lr=0.02, **settings)
    for _ in range(5):
        gradient = problem.gradient().astype(float)
        for tensor, (place, _, _) in zip(tensors, places, strict=True):
            tensor.grad = torch.tensor(gradient[place])
        theirs.step()
        problem.step()
        np.testing.assert_allclose(
            problem.parameters, np.concatenate([tensor.numpy() for tensor in tensors]), rtol=1e-9
        )


# ---- as solver= ----


@few_epochs
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_learns_saves_and_goes_on(solver, dtype, tmp_path):
    X = rng("solver").normal(size=(300, 4)).astype(dtype)
    y = np.sin(X[:, 0]) + X[:, 1]
    rate = 0.003 if solver == "lion" else 0.02
    mlp = MLPRegressor(
        hidden_layer_sizes=(20,), solver=solver, learning_rate_init=rate, random_state=0, max_iter=100
    ).fit(X, y)
    assert mlp.score(X, y) > 0.9
    mlp.save(tmp_path / "a")
    for again in (MLPRegressor.load(tmp_path / "a"), pickle.loads(pickle.dumps(mlp))):
        again.partial_fit(X, y)
        same = pickle.loads(pickle.dumps(mlp)).partial_fit(X, y)
        assert all(map(same_bits, again.coefs_, same.coefs_))


def test_the_docstring_lists_every_solver():
    for solver in STOCHASTIC:
        assert f'- "{solver}": ' in MLPRegressor.__doc__
    for name in ("momentum", "beta_1", "beta_2", "epsilon"):
        text = re.search(rf"^{name} : float.*?\n(?=\w)", MLPRegressor.__doc__, re.DOTALL | re.MULTILINE)[0]
        for solver in STOCHASTIC:
            assert (f'"{solver}"' in text) == (name in optimizers[solver].hyperparameters), (name, solver)
