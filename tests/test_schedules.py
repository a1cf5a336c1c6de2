"""The estimators' `learning_rate=`, against torch's schedulers where torch is installed, else against their formulas."""

import math
import pickle
import re
import warnings

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.exceptions import ConvergenceWarning

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp import schedules
from pyrelu.exceptions import InvalidParameterError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def fit(n_epochs=12, **parameters):
    parameters = dict(hidden_layer_sizes=5, n_iter_no_change=1000, random_state=0, max_iter=n_epochs) | parameters
    return MLPClassifier(**parameters).fit(X, Y)


def rates(mlp):
    return [record["learning_rate"] for record in mlp.history_]


def torchs(name, base, n_epochs, **values):
    """The rates of torch's scheduler of that name."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = {
        "step": lambda: torch.optim.lr_scheduler.StepLR(optimizer, **values),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_epochs, **values),
        "one_cycle": lambda: torch.optim.lr_scheduler.OneCycleLR(optimizer, base, n_epochs, **values),
    }[name]()
    found = []
    for _ in range(n_epochs):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if len(found) < n_epochs:
            scheduler.step()
    return found


GIVEN = [
    ("step", {"step_size": 3}),
    ("step", {"step_size": 5, "gamma": 0.5}),
    ("cosine", {}),
    ("cosine", {"eta_min": 0.02}),
    ("one_cycle", {}),
    ("one_cycle", {"pct_start": 0.6, "div_factor": 10, "final_div_factor": 100}),
]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_equals_torchs(given, solver):
    mlp = fit(learning_rate=given, learning_rate_init=0.1, solver=solver)
    np.testing.assert_allclose(rates(mlp), torchs(given[0], 0.1, 12, **given[1]), rtol=1e-12)


@pytest.mark.parametrize("n_epochs", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
def test_any_number_of_epochs(name, n_epochs):
    schedule = schedules.SCHEDULES[name](0.1, n_epochs)
    found = [schedule.rate(epoch, None) for epoch in range(n_epochs)]
    np.testing.assert_allclose(found, torchs(name, 0.1, n_epochs), rtol=1e-12)
    assert schedule.rate(n_epochs + 5, None) <= found[-1]  # partial_fit may go on; the rate does not go up again


def test_formulas():
    cosine = [0.05 * (1 + math.cos(math.pi * epoch / 12)) for epoch in range(12)]
    np.testing.assert_allclose(rates(fit(learning_rate="cosine", learning_rate_init=0.1)), cosine, rtol=1e-12)
    step = [0.1 * 0.1 ** (epoch // 5) for epoch in range(12)]
    np.testing.assert_allclose(
        rates(fit(learning_rate=("step", {"step_size": 5}), learning_rate_init=0.1)), step, rtol=1e-12
    )
    one_cycle = schedules.SCHEDULES["one_cycle"](0.1, 101, pct_start=51 / 101)
    assert [one_cycle.rate(epoch, None) for epoch in (0, 50, 100)] == pytest.approx([0.1 / 25, 0.1, 0.1 / 25e4])


@pytest.mark.parametrize("n_epochs", [1, 2, 7, 12, 100])
def test_formulas_of_shares(n_epochs):
    """At the middle of each epoch; partial_fit may go on, with the rate of the end."""
    coslog4, flat_cos = (schedules.SCHEDULES[name](0.1, n_epochs) for name in ("coslog4", "flat_cos"))
    for epoch in range(n_epochs):
        t = (epoch + 0.5) / n_epochs
        want = 0.1 / 2 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t)))
        assert coslog4.rate(epoch, None) == pytest.approx(want, rel=1e-12)
        want = 0.1 if t <= 0.5 else 0.1 * (1 + math.cos(2 * math.pi * (t - 0.5))) / 2
        assert flat_cos.rate(epoch, None) == pytest.approx(want, rel=1e-12)
    for schedule in (coslog4, flat_cos):
        assert schedule.rate(n_epochs + 5, None) == pytest.approx(0, abs=1e-15)
    found = rates(fit(learning_rate="coslog4", learning_rate_init=0.1))
    assert found == [schedules.SCHEDULES["coslog4"](0.1, 12).rate(epoch, None) for epoch in range(12)]


def test_coslog4_has_four_waves():
    found = np.array([schedules.SCHEDULES["coslog4"](1.0, 3000).rate(epoch, None) for epoch in range(3000)])
    tops = np.flatnonzero((found[1:-1] > found[:-2]) & (found[1:-1] > found[2:])) + 1
    np.testing.assert_allclose((tops + 0.5) / 3000, [(2 ** (k + 0.5) - 1) / 15 for k in range(4)], atol=1e-3)
    np.testing.assert_allclose(found[tops], 1, atol=1e-3)


def test_callable_gets_the_epoch():
    table = [0.1, 0.01, 0.05]
    mlp = fit(3, learning_rate=table.__getitem__, solver="sgd")
    assert rates(mlp) == table


def test_the_rate_is_that_of_its_epoch():
    """Plain gradient descent moves the weights by rate * gradient: after the first epoch half as far with half the rate."""

    def fitted(*rates):
        return fit(len(rates), solver="sgd", momentum=0, shuffle=False, learning_rate=lambda epoch: rates[epoch])

    start, whole, half = fitted(0.1), fitted(0.1, 0.1), fitted(0.1, 0.05)
    assert whole.loss_curve_ == half.loss_curve_  # of the weights before the last rate
    for a, b, c in zip(start.coefs_, whole.coefs_, half.coefs_):
        np.testing.assert_allclose(c - a, (b - a) / 2, rtol=1e-9, atol=1e-15)


def test_history_has_the_rate_that_an_epoch_took():
    """Not the one that it leaves to the next."""
    mlp = fit(4, learning_rate="invscaling", learning_rate_init=0.1, solver="sgd")
    assert rates(mlp) == pytest.approx([0.1, *(0.1 / (60 * epoch + 1) ** 0.5 for epoch in (1, 2, 3))])


def test_restarts_with_fit_and_goes_on_with_partial_fit():
    mlp = fit(4, learning_rate=("step", {"step_size": 1}), warm_start=True).fit(X, Y)
    assert rates(mlp) == pytest.approx([1e-3, 1e-4, 1e-5, 1e-6] * 2)
    mlp = MLPRegressor(hidden_layer_sizes=5, learning_rate="cosine", max_iter=4, random_state=0)
    for _ in range(6):
        mlp.partial_fit(X, Y)
    assert rates(mlp) == pytest.approx([0.0005 * (1 + math.cos(math.pi * min(epoch, 4) / 4)) for epoch in range(6)])
    assert pickle.loads(pickle.dumps(mlp)).partial_fit(X, Y).loss_ > 0


@pytest.mark.parametrize("given", ["invscaling", "adaptive", "coslog4", "flat_cos", *GIVEN], ids=str)
def test_saved_in_the_middle(given, tmp_path):
    mlp = MLPClassifier(5, learning_rate=given, solver="sgd", max_iter=6, random_state=0)
    for _ in range(3):
        mlp.partial_fit(X, Y, classes=[0, 1])
    mlp.save(tmp_path / "mlp")
    again = MLPClassifier.load(tmp_path / "mlp")
    for _ in range(3):
        assert again.partial_fit(X, Y).loss_ == mlp.partial_fit(X, Y).loss_
    assert rates(again) == rates(mlp)


def test_scikit_learns_are_for_sgd_only():
    for name in ("invscaling", "adaptive"):
        assert set(rates(fit(learning_rate=name, solver="adam", tol=1e9, n_iter_no_change=1))) == {0.001}
    assert len(set(rates(fit(learning_rate="invscaling", solver="sgd")))) == 12
    adaptive = fit(learning_rate="adaptive", solver="sgd", tol=1e9, n_iter_no_change=1)
    assert rates(adaptive)[3:7] == pytest.approx([0.001 / 5, 0.001 / 5, 0.001 / 25, 0.001 / 25])


def test_partial_fit_adapts_the_rate():
    mlp = MLPClassifier(learning_rate="adaptive", solver="sgd", tol=1e9, n_iter_no_change=1, random_state=0)
    theirs = sklearn.neural_network.MLPClassifier(**{name: getattr(mlp, name) for name in ADAPTIVE})
    for _ in range(9):
        mlp.partial_fit(X, Y, classes=[0, 1])
        theirs.partial_fit(X, Y, classes=[0, 1])
        assert mlp._optimizer.learning_rate == pytest.approx(theirs._optimizer.learning_rate)
    assert mlp.loss_ == pytest.approx(theirs.loss_) and mlp._optimizer.learning_rate < 1e-4


ADAPTIVE = ("learning_rate", "solver", "tol", "n_iter_no_change", "random_state")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "fast",
            "must be one of 'constant', 'invscaling', 'adaptive', 'cosine', 'step', 'one_cycle', 'coslog4', 'flat_cos' or a pair",
        ),
        (0.1, "or a callable epoch -> rate. Got 0.1 instead"),
        (("fast", {}), "must be one of 'constant'"),
        (("step", {"stepsize": 3}), "has no parameter 'stepsize'; 'step' has: step_size, gamma"),
        (("constant", {"gamma": 3}), "has no parameter 'gamma'; 'constant' has: none"),
        (("step", {"step_size": 0.5}), "'step_size' of learning_rate=('step', {'step_size': 0.5}) must be an int"),
        (("one_cycle", {"pct_start": 1}), "must be a float in the range (0, 1). Got 1 instead"),
    ],
)
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_wrong_schedule(given, message, solver):
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        fit(learning_rate=given, solver=solver)


@pytest.mark.parametrize("wrong", [0, -0.1, float("nan"), float("inf"), None, "fast"])
def test_wrong_rate_leaves_the_estimator_as_it_was(wrong):
    mlp = fit(3, warm_start=True)
    before = pickle.dumps(mlp)
    mlp.set_params(learning_rate=lambda epoch: 0.1 if epoch < 2 else wrong)
    with pytest.raises(ValueError, match=re.escape(f"Got {wrong!r} for epoch 2")):
        mlp.fit(X, Y)
    assert pickle.dumps(mlp.set_params(learning_rate="constant")) == before


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_the_end_of_the_schedule_is_no_failure_to_converge(name):
    ends = name in ("cosine", "one_cycle", "coslog4", "flat_cos")
    with warnings.catch_warnings() if ends else pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        warnings.simplefilter("error" if ends else "always")
        fit(learning_rate=name)


def test_every_schedule_is_described():
    for name, cls in schedules.SCHEDULES.items():
        assert f'- "{name}"' in MLPClassifier.__doc__
        assert all(parameter in MLPClassifier.__doc__ for parameter in cls.parameters)


def test_rates_beyond_the_largest_number():
    """A rate of 0 changes nothing more; an infinite one is reported as any that is too high."""
    few = dict(solver="sgd", max_iter=3, random_state=0)
    still = MLPRegressor(learning_rate="invscaling", power_t=1e4, momentum=0.0, **few).fit(X, X[:, 0])
    assert [record["learning_rate"] for record in still.history_] == [0.001, 0, 0]
    with pytest.raises(ValueError, match="non-finite"):
        MLPRegressor(learning_rate=("step", {"step_size": 1, "gamma": 1e300}), **few).fit(X, X[:, 0])
