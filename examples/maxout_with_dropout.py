"""
Maxout with dropout: better per unit, not per weight
====================================================

A maxout unit is the largest of k linear maps (Goodfellow et al., Maxout networks, ICML 2013). It is convex, and can be
any convex function if k is large enough; the difference of two can be any continuous function. The paper made it for
dropout, with which it held the record on MNIST without convolutions: 0.94% errors.
"""

# %%
# One unit, and two
# -----------------
# One maxout unit of k pieces, fitted to the square by least squares with ``pr.maxout`` and ``pr.vjp.maxout``. The best
# that k lines can do is known: ``4 / (k**2 * sqrt(180))``, the root of the mean square. Then the difference of two
# units on a function that is not convex.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import pyrelu as pr
from pyrelu._examples.support import COLORS, GREY, ORANGE, PURPLE, compare, use_style

use_style()

x = np.linspace(-1, 1, 401)
inputs = np.column_stack([x, np.ones_like(x)])


def lines(parameters, k):
    return inputs @ parameters.reshape(2, k)  # row 0: slopes, row 1: offsets


STARTS = 100  # quick: 1


def fit(target, signs, k):
    """Return what the sum of maxout units with these signs makes of x, and the parameters of each unit."""

    def loss(parameters):
        units = np.split(parameters, len(signs))
        error = sum(s * pr.maxout(lines(u, k), k)[:, 0] for s, u in zip(signs, units)) - target
        back = [pr.vjp.maxout(lines(u, k), s * error[:, np.newaxis], k) for s, u in zip(signs, units)]
        return error @ error / 2, np.concatenate([(inputs.T @ b).ravel() for b in back])

    def start(rng):
        """Return tangents of a parabola for each unit: so every piece is the largest somewhere."""
        slopes = np.linspace(-3, 3, k) + rng.normal(0, 0.3, (len(signs), 1, k))
        return np.concatenate([slopes, -(slopes**2) / 8], axis=1).ravel()

    rng = np.random.default_rng(0)
    runs = [minimize(loss, start(rng), jac=True, method="BFGS") for _ in range(STARTS)]
    best = np.split(min(runs, key=lambda run: run.fun).x, len(signs))
    return sum(s * pr.maxout(lines(u, k), k)[:, 0] for s, u in zip(signs, best)), best


def rms(error):
    return np.sqrt(np.mean(error**2))


square, wave = x**2, np.sin(4 * x) * (1 - x / 2)
convex = {k: fit(square, (1,), k) for k in (2, 4, 8)}
two, _ = fit(wave, (1, -1), 6)
compare(
    [
        *(
            (f"x^2 by one maxout of {k} pieces: error", f"{4 / (k**2 * 180**0.5):.4f}", f"{rms(y - square):.4f}")
            for k, (y, _) in convex.items()
        ),
        ("not convex, by the difference of two maxouts of 6", "small", f"{rms(two - wave):.4f}"),
    ]
)

# %%
# With dropout, against relu
# --------------------------
# Two hidden layers on the digits, ten splits. A maxout unit of two pieces has twice the weights of a relu
# unit. So relu runs with 128 units, and with 190, which gives the same number of weights.

SPLITS = range(10)  # quick: range(1)
EPOCHS = 100  # quick: 1
DROPOUT = (0.1, 0.3, 0.3)  # of the input, of either hidden layer
CANDIDATES = {
    "relu, 128 units": ("relu", 128, 0.0),
    "relu, 128 units, dropout": ("relu", 128, DROPOUT),
    "relu, 190 units, dropout": ("relu", 190, DROPOUT),
    "maxout, 128 units": ("maxout", 128, 0.0),
    "maxout, 128 units, dropout": ("maxout", 128, DROPOUT),
}
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed
X, y = load_digits(return_X_y=True)
X = ((X - X.mean()) / X.std()).astype(np.float32)
errors = {name: [] for name in CANDIDATES}
weights = {}
for seed in SPLITS:
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    for name, (activation, units, dropout) in CANDIDATES.items():
        model = pr.MLPClassifier(
            (units, units),
            activation=activation,
            dropout=dropout,
            batch_size=64,
            max_iter=EPOCHS,
            n_iter_no_change=EPOCHS,
            random_state=seed,
        ).fit(X_train, y_train)
        errors[name].append(1 - model.score(X_test, y_test))
        weights[name] = sum(coef.size for coef in model.coefs_)

print(f"test error, mean and standard deviation over {len(SPLITS)} splits")
for name, values in errors.items():
    print(f"  {name:27s} {weights[name]:6d} weights  {np.mean(values):.2%} +- {np.std(values):.2%}")


def difference(one, other):
    gap = np.subtract(errors[one], errors[other])
    return f"{gap.mean():+.2%} +- {gap.std(ddof=min(1, len(gap) - 1)) / np.sqrt(len(gap)):.2%}"


print("\npaired difference in error, mean and its standard error")
compare(
    [
        ("dropout, for maxout", "lowers it", difference("maxout, 128 units, dropout", "maxout, 128 units")),
        ("dropout, for relu", "lowers it", difference("relu, 128 units, dropout", "relu, 128 units")),
        (
            "maxout for relu, as many units",
            "lowers it",
            difference("maxout, 128 units, dropout", "relu, 128 units, dropout"),
        ),
        (
            "maxout for relu, as many weights",
            "lowers it",
            difference("maxout, 128 units, dropout", "relu, 190 units, dropout"),
        ),
    ]
)

# %%
# What came out: on these 1,797 small digits, dropout helps maxout more than relu, as the paper says, and maxout with
# dropout beats relu with as many units. The advantage disappears against relu with as many weights. All these differences
# are small compared with the spread between splits; it would take more data to be certain of them. (Eight pieces are not
# quite as good as they can be, because the search ends in local minima.)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12.5, 3.8), width_ratios=[1, 1, 1.15])
fitted, (unit,) = convex[4]
left.plot(x, lines(unit, 4), color=GREY, linewidth=1)
left.plot(x, square, color=ORANGE, linewidth=5, alpha=0.5)
left.plot(x, fitted, color=PURPLE)
left.text(0, 0.62, "x²", color=ORANGE, fontsize=13, ha="center")
left.text(0, 0.5, "one maxout unit", color=PURPLE, ha="center")
left.text(0, 0.38, "its four pieces", color="0.5", ha="center")
left.set(title="Convex: one unit", ylim=(-0.25, 1.05), xlabel="x")
middle.plot(x, wave, color=ORANGE, linewidth=5, alpha=0.5)
middle.plot(x, two, color=PURPLE)
middle.set(title="Not convex: one unit minus another", xlabel="x")
for row, (name, values) in enumerate(reversed(errors.items())):
    colour = COLORS[name.split(",")[0]]
    right.plot(values, [row] * len(values), "o", color=colour, alpha=0.3, markeredgewidth=0)
    right.plot(np.mean(values), row, "|", color=colour, markersize=16, markeredgewidth=2.5)
right.set_yticks(range(len(errors)), reversed(errors))
right.tick_params(axis="y", length=0)
right.spines["left"].set_visible(False)
right.xaxis.set_major_formatter("{x:.1%}")
right.set(title="Test error: each split, and the mean", xlim=(0, None))
figure.savefig("maxout_with_dropout.png")
