"""param_groups: each factor in a step of each optimizer against the table's update, and in every epoch of a fit."""

import math
import re

import numpy as np
import pytest
from embedding_cases import fit, table
from helpers import few_epochs, same_bits
from test_optimizers import LONG, SETTINGS, Problem

from pyrelu import MLPRegressor
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.param_groups import GROUPS
from pyrelu._samples import Samples
from pyrelu.exceptions import InvalidFileError, InvalidParameterError
from pyrelu.registry import embeddings, optimizers, parameter_groups

pytestmark = few_epochs

FACTORS = {
    "weights": {"learning_rate": 0.5, "alpha": 2.0},
    "biases": {"learning_rate": 0.1, "alpha": 0.5},
    "activations": {"learning_rate": 0.2, "alpha": 0.3},
    "adapters": {"learning_rate": 0.7, "alpha": 0.4},
    "scales": {"learning_rate": 6.0, "alpha": 0.7},
    "numeric_embeddings": {"learning_rate": 0.3, "alpha": 0.1},
    "categorical_embeddings": {"learning_rate": 3.0, "alpha": 0.9},
}


class Steps(Problem):
    """Steps on a network with every kind of parameters, beside what the update of the table makes of each array."""

    def __init__(self, name, groups, **settings):
        X, y = table(40)
        form = {"nesterov": dict(solver="sgd"), "sgd": dict(solver="sgd", nesterovs_momentum=False)}
        given = SETTINGS | form.get(name, dict(solver=name)) | dict(param_groups=groups) | settings
        self.row, self.mlp = (
            optimizers[name],
            fit(X, y, hidden_layer_sizes=(4, 3), ensemble_size=2, max_iter=1, **given),
        )
        self.parameters, self.arrays = pack(self.mlp._arrays(), np.float64)
        self.mlp._set_arrays(self.arrays, np.float64)
        self.network = self.mlp._network(self.mlp._arrays(), self.parameters, (), self.mlp._output_loss())
        self.samples = Samples(X, y[:, np.newaxis].copy())
        self.optimizer = STOCHASTIC[self.mlp.solver](self.parameters, self.mlp)
        self.optimizer.begin_epoch()
        self.states = [np.zeros(len(self.parameters), LONG) for _ in "mv"]
        self.t = 0

    def places(self):
        """Yield for each array, or column of a numeric embedding, its place, its kind and the factor of the layer."""
        start, ntk = 0, (self.mlp.param_groups.get("weights") or {}).get("ntk", False)
        of_embedding = {"levels": "categorical_embeddings", "scales": "scales"}
        names = [of_embedding.get(name, "numeric_embeddings") for name in self.mlp.embedding_.learned]
        for k, group in enumerate(self.arrays):
            for i, array in enumerate(group):
                name = names[i] if k == 4 else GROUPS[k]
                n = len(array) if name == "numeric_embeddings" else 1  # each column has an embedding of its own
                for _ in range(n):
                    yield slice(start, start + array.size // n), name, len(array) ** -0.5 if k == 0 and ntk else 1.0
                    start += array.size // n


@pytest.mark.parametrize("embedding", embeddings)
@pytest.mark.parametrize("clip_norm", [None, 0.3], ids=["whole", "clipped"])
@pytest.mark.parametrize("ntk", [False, True])
@pytest.mark.parametrize("name", optimizers)
def test_steps_are_those_of_the_update(name, ntk, clip_norm, embedding):
    groups = FACTORS | {"weights": FACTORS["weights"] | {"ntk": ntk}}
    steps = Steps(name, groups, clip_norm=clip_norm, numeric_embedding=embedding)
    for _ in range(3):
        want, before = steps.expected(), steps.parameters.copy()
        np.testing.assert_allclose(steps.step().astype(LONG), want, rtol=0, atol=1e-11)
        for place, kind, _ in steps.places():
            assert abs(want[place] - before[place]).max() > 1e-8, kind


@pytest.mark.parametrize("name", optimizers)
def test_defaults_of_the_table(name):
    steps = Steps(name, {})
    np.testing.assert_allclose(steps.expected(), steps.step(), rtol=0, atol=1e-11)


@pytest.mark.parametrize("clip_norm", [None, 0.3])
@pytest.mark.parametrize("name", optimizers)
@pytest.mark.parametrize("still", GROUPS)
def test_a_rate_of_0_keeps_a_kind_as_it_is(still, name, clip_norm):
    steps = Steps(name, {still: {"learning_rate": 0.0}}, clip_norm=clip_norm)
    before = steps.parameters.copy()
    for _ in range(3):  # an even number of steps by signs may lead back
        steps.step()
    for place, kind, _ in steps.places():
        assert (steps.parameters[place] == before[place]).all() == (kind == still)


def test_schedules_of_rates_and_alpha():
    """In each epoch, the optimizer has the product of the factors."""
    seen = []

    class Watched(MLPRegressor):
        def _should_stop(self, n_iter):
            solver = self._fit_state.optimizer
            seen.append((solver.rate_factors.copy(), solver.alpha_factors.copy(), solver.dropout_factor))
            return False

    X, y = table()
    of_each = [[1.0, 0.5, 0.1 * k, 0] for k in range(1, len(GROUPS))]
    groups = {name: {"schedule": of_one.__getitem__} for name, of_one in zip(GROUPS[1:], of_each, strict=True)}
    groups["weights"] = {"schedule": "cosine", "learning_rate": 3.0}
    groups["biases"]["alpha"] = 0.5
    Watched(
        hidden_layer_sizes=4, max_iter=4, param_groups=groups, alpha_schedule=("step", {"step_size": 2}), random_state=0,
        dropout=0.1, dropout_schedule="flat_cos",
    ).fit(X, y)  # fmt: skip
    rates, alphas, dropouts = zip(*seen, strict=True)
    cosine = [1.5 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(4)]
    np.testing.assert_allclose(rates, np.transpose([cosine, *of_each]))
    np.testing.assert_allclose(np.array(alphas)[:, :3], np.outer([1, 1, 0.1, 0.1], [1, 0.5, 0]))
    np.testing.assert_allclose(dropouts, [1, 1, (1 + math.cos(math.pi / 4)) / 2, (1 + math.cos(3 * math.pi / 4)) / 2])


def test_partial_fit_takes_new_factors_on_alpha():
    """As it takes a new alpha. Without a gradient, a decoupled decay alone moves the weights."""
    X, y = table()
    moved = []
    for factor in (0.0, 1.0, 2.0):
        twin = MLPRegressor(hidden_layer_sizes=4, solver="adamw", random_state=0, learning_rate_init=0.1, alpha=0.0)
        twin.partial_fit(X, y).set_params(alpha=0.5, param_groups={"weights": {"alpha": factor}}, batch_size=len(X))
        moved.append(twin.partial_fit(X, y).coefs_[0])
    np.testing.assert_allclose(2 * (moved[1] - moved[0]), moved[2] - moved[0], rtol=1e-9)
    assert abs(moved[1] - moved[0]).max() > 1e-3


@pytest.mark.parametrize("solver", ["lbfgs", *STOCHASTIC])
def test_neutral_factors_change_no_bit(solver):
    X, y = table()
    neutral = {name: {"learning_rate": 1.0, "alpha": row.alpha} for name, row in parameter_groups.items()}
    neutral["weights"]["ntk"] = False
    same = [
        fit(X, y, solver=solver, param_groups=groups, dropout_schedule="constant") for groups in (None, {}, neutral)
    ]
    assert all(same_bits(same[0].predict(X), one.predict(X)) for one in same)


def test_lbfgs_takes_alpha():
    X, y = table(40)
    settings = dict(solver="lbfgs", alpha=1e3, max_iter=50, parametric_activation=False)
    for name in ("categorical_embeddings", "numeric_embeddings", "scales", "biases"):
        free, penalized = (fit(X, y, param_groups={name: {"alpha": factor}}, **settings) for factor in (0.0, 1.0))
        key = {"categorical_embeddings": "levels", "numeric_embeddings": "weights", "scales": "scales"}.get(name)
        norms = [np.linalg.norm(np.concatenate(m.intercepts_) if key is None else m.embedding_.arrays[key]) for m in (free, penalized)]  # fmt: skip
        assert norms[1] < 0.5 * norms[0], name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "must be None or a dict of 'weights', 'biases'"),
        ({"slopes": {}}, "has the group 'slopes'; there are: weights, biases, activations"),
        ({3: {}}, "has the group 3"),
        ({"weights": 3}, "param_groups['weights'] must be a dict of learning_rate, alpha, schedule, ntk. Got 3"),
        (
            {"biases": {"ntk": True}},
            "param_groups['biases'] must be a dict of learning_rate, alpha, schedule. Got 'ntk'",
        ),
        ({"weights": {"ntk": 1}}, "param_groups['weights']['ntk'] must be a bool. Got 1"),
        ({"weights": {"alpha": -1}}, "param_groups['weights']['alpha'] must be a float in the range [0, inf). Got -1"),
        ({"scales": {"learning_rate": math.nan}}, "['learning_rate'] must be a float in the range [0, inf). Got nan"),
        ({"scales": {"schedule": "adaptive"}}, "The schedule of scales must be one of 'constant', 'cosine'"),
        ({"scales": {"schedule": ("step", {"gamma": 2.0, "step_size": 1})}}, "gives the factor 2 for epoch 1"),
    ],
    ids=str,
)
def test_wrong_groups(given, message):
    X, y = table()
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        fit(X, y, param_groups=given)


@pytest.mark.parametrize("name", ["alpha_schedule", "dropout_schedule"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("invscaling", "must be one of 'constant', 'cosine', 'step', 'one_cycle', 'coslog4', 'flat_cos' or a pair"),
        (None, "or a callable epoch -> factor. Got None"),
        (("cosine", {"eta_min": 2.0}), "gives the factor 1.5 for epoch 1; it must be in the range [0, 1]"),
        (("step", {"step_size": 1, "gamma": 1.5}), "gives the factor 1.5 for epoch 1"),
        (lambda epoch: 1.5, "must return a finite float in the range [0, 1] for each epoch. Got 1.5 for epoch 0"),
        (lambda epoch: None, "Got None for epoch 0"),
    ],
    ids=["sgd's", "none", "eta_min", "gamma", "large", "nothing"],
)
def test_wrong_schedules_of_factors(name, given, message):
    X, y = table()
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        fit(X, y, **{name: given})
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "groups", [None, {"biases": {"schedule": "cosine"}}, {name: {"schedule": "cosine"} for name in GROUPS}]
)
def test_a_file_holds_the_schedules_of_the_groups_that_have_one(groups, tmp_path):
    X, y = table()
    mlp = MLPRegressor(hidden_layer_sizes=(4,), param_groups=groups, max_iter=2, random_state=0).partial_fit(X, y)
    mlp.save(tmp_path / "mlp.safetensors")
    again = MLPRegressor.load(tmp_path / "mlp.safetensors").partial_fit(X, y)
    mlp.partial_fit(X, y)
    assert all(map(same_bits, again.coefs_, mlp.coefs_))


@pytest.mark.parametrize("change", [lambda of: of.pop("alpha"), lambda of: of.update(slopes=of["alpha"])])
def test_a_file_with_other_schedules_is_refused(change, tmp_path):
    X, y = table()
    mlp = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0).partial_fit(X, y)
    change(mlp._optimizer.factor_schedules)
    mlp.save(tmp_path / "mlp.safetensors")
    with pytest.raises(InvalidFileError, match="factor_schedules does not have the type"):
        MLPRegressor.load(tmp_path / "mlp.safetensors")
