"""
Dying relu: where its units die, the others diverge
===================================================

A relu unit whose input is negative for every row outputs 0, gets no gradient, and so never changes again: it is dead. The
notes of Stanford's CS231n remark that with too high a learning rate "as much as 40% of your network can be dead", and
that leaky ReLU, or maxout, do not have the problem. The notes give no experiment; here is one.
"""

# %%
# Rates and deaths
# ----------------
# A 64-100-100-10 network on the digits, 15 epochs of SGD with momentum 0.9, at rates from usual to absurd. `dead_units_`
# says which units were 0 for every training row at the end of `fit`. A run that reaches infinity or NaN raises a
# ValueError and counts as diverged.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import pyrelu as pr
from pyrelu._examples.support import COLORS, GREY, compare, use_style
from pyrelu.exceptions import DeadUnitWarning

use_style()

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed
warnings.simplefilter("ignore", DeadUnitWarning)  # they are what we are after

ACTIVATIONS = ("relu", "leaky_relu", "prelu", "rrelu", "elu", "maxout")
RATES = np.geomspace(0.01, 1, 17)  # quick: np.geomspace(0.01, 1, 2)
SEEDS = range(5)  # quick: range(1)
EPOCHS = 15  # quick: 1
X, y = load_digits(return_X_y=True)
X = ((X - X.mean()) / X.std()).astype(np.float32)


def fit(activation, rate, seed):
    """Return a fitted network, or None where training diverged."""
    model = pr.MLPClassifier(
        (100, 100),
        activation=activation,
        solver="sgd",
        learning_rate_init=rate,
        batch_size=32,
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        warm_start=True,
        random_state=seed,
    )
    try:
        return model.fit(X, y)
    except ValueError:
        return None


def dead(model):
    return np.concatenate(model.dead_units_)


shape = (len(ACTIVATIONS), len(RATES), len(SEEDS))
deaths, accuracy = np.full(shape, np.nan), np.full(shape, np.nan)
stay_dead = []
for i, activation in enumerate(ACTIVATIONS):
    for j, rate in enumerate(RATES):
        for k, seed in enumerate(SEEDS):
            if model := fit(activation, rate, seed):
                before = dead(model)
                deaths[i, j, k], accuracy[i, j, k] = before.mean(), model.score(X, y)
                if before.mean() > 0.1:  # for good? Another 15 epochs at a sane rate
                    model.set_params(learning_rate_init=0.01).fit(X, y)
                    stay_dead.append(dead(model)[before].mean())

# %%
# The same as a table: the share of dead units, and of runs that diverged.

diverged = np.isnan(deaths).mean(axis=2)
everyone = np.isnan(deaths).all(axis=2)
mean_deaths = np.where(everyone, np.nan, np.nansum(deaths, axis=2) / np.maximum(1, (~np.isnan(deaths)).sum(axis=2)))
relu_deaths = mean_deaths[0]
first = np.argmax(relu_deaths > 0.4)
others = np.nanmax(deaths[1:])
compare(
    [
        ("relu: dead units at too high a rate", "up to 40%", f"up to {np.nanmax(deaths[0]):.0%}"),
        ("relu: the first rate with more than 40% dead", "", f"{RATES[first]:.2g}"),
        ("relu: accuracy there (guessing gives 10%)", "", f"{np.nanmean(accuracy[0, first]):.0%}"),
        ("relu: of the dead, still dead after 15 epochs at 0.01", "all", f"{np.mean(stay_dead or [1]):.1%}"),
        (f"{', '.join(ACTIVATIONS[1:])}: dead units", "none", f"at most {others:.0%}"),
    ]
)
reached = np.where(np.isnan(accuracy), 0.1, accuracy)
trains = [RATES[max(np.flatnonzero((r > 0.9).all(axis=1)), default=0)] for r in reached]
print("\n            largest rate with over 90%   diverged at the rates")
print("            accuracy on every seed       where 40% of relu is dead")
for i, activation in enumerate(ACTIVATIONS):
    print(f"{activation:10s}  {trains[i]:14.2g} {diverged[i, first:].mean():25.0%}")
assert others == 0

# %%
# What came out
# -------------
# The remark is right, and cautious: more than 40% can die, and dead units stay dead. The cure is less clear. The learning
# rate kills the network, not relu alone: at rates where relu loses most of its units, the other networks do not train
# either. Their weights go to infinity because nothing switches the units off, and this begins at much the same rates. A
# unit that cannot die is useful where relu units die for another reason than the rate.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), width_ratios=[1, 1.35])
blue = COLORS["relu"]
left.fill_between(RATES, np.nanmin(deaths[0], axis=1), np.nanmax(deaths[0], axis=1), color=blue, alpha=0.2, linewidth=0)
left.plot(RATES, mean_deaths[0], "o-", markersize=4, color=blue)
left.axhline(0.4, color=GREY, linewidth=0.8, linestyle="--")
left.axhline(0, color=COLORS["elu"], linewidth=3)
left.text(RATES[0], 0.42, "CS231n's 40%", color="0.4")
left.text(RATES[-1], 0.9, "relu", color=blue, ha="right")
left.text(RATES[-1], 0.025, "the others: none", color=COLORS["elu"], ha="right")
left.set(title="Dead units", xscale="log", xlabel="learning rate")
left.yaxis.set_major_formatter("{x:.0%}")

picture = right.imshow(reached.mean(axis=2), cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
for i in range(len(ACTIVATIONS)):
    for j in range(len(RATES)):
        mark = (
            "x" if diverged[i, j] > 0.5 else "dead" if mean_deaths[i, j] > 0.4 else f"{100 * reached[i, j].mean():.0f}"
        )
        right.text(j, i, mark, ha="center", va="center", fontsize=8)
right.set_yticks(range(len(ACTIVATIONS)), ACTIVATIONS)
right.set_xticks(range(0, len(RATES), 4), [f"{rate:.2g}" for rate in RATES[::4]])
right.tick_params(length=0)
right.spines[:].set_visible(False)
right.set(title="Training accuracy in per cent; x: most runs diverged", xlabel="learning rate")
figure.savefig("dying_relu.png")
