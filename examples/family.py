"""
The relu family: most differences are within the noise
======================================================

relu and its relatives, tanh and sigmoid, on two data sets: the small digits, and the letters, whose test set is drawn
from other fonts than the training set. Xu et al. (Empirical evaluation of rectified activations in convolutional
network, arXiv:1505.00853) compared four of them on CIFAR-10 and found leaky slopes of 0.18 and random ones best, 0.01 no
better than 0, and learned ones in between.
"""

# %%
# The runs
# --------
# Two hidden layers of 100 units, Adam at its usual rate, the same number of epochs for all; five seeds, each with a
# split of the digits and with letters of its own.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import pyrelu as pr
from pyrelu._examples import letters
from pyrelu._examples.support import BLUE, GREEN, GREY, ORANGE, use_style

use_style()

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed
FAMILY = {
    "relu": ("relu", 12.45),  # and its test error on CIFAR-10 in per cent, after Xu et al.
    "leaky_relu 0.01": (("leaky_relu", {"negative_slope": 0.01}), 12.66),
    "leaky_relu 0.18": (("leaky_relu", {"negative_slope": 0.18}), 11.20),
    "prelu": ("prelu", 11.79),
    "rrelu 1/8 to 1/3": ("rrelu", 11.19),
    "elu": ("elu", None),
    "maxout of 2": ("maxout", None),
    "tanh": ("tanh", None),
    "sigmoid": ("sigmoid", None),
}
SEEDS = range(5)  # quick: range(1)
ROWS = 4000  # quick: 200
EPOCHS = {"digits": 60, "letters": 20}  # quick: {"digits": 1, "letters": 1}


def digits(seed):
    X, y = load_digits(return_X_y=True)
    X = ((X - X.mean()) / X.std()).astype(np.float32)
    return train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)


def drawn_letters(seed):
    X_train, X_test, y_train, y_test = letters.load(ROWS, ROWS // 2, seed)
    return (X_train - 0.5) * 2, (X_test - 0.5) * 2, y_train, y_test


errors = {data: {name: [] for name in FAMILY} for data in EPOCHS}
slopes = []
for data, load in (("digits", digits), ("letters", drawn_letters)):
    for seed in SEEDS:
        X_train, X_test, y_train, y_test = load(seed)
        for name, (activation, _) in FAMILY.items():
            model = pr.MLPClassifier(
                (100, 100),
                activation=activation,
                batch_size=64,
                max_iter=EPOCHS[data],
                n_iter_no_change=EPOCHS[data],
                random_state=seed,
            ).fit(X_train, y_train)
            errors[data][name].append(1 - model.score(X_test, y_test))
            if name == "prelu" and data == "letters":
                slopes.append(model.activation_weights_)

# %%
# Test error, mean and standard deviation over the seeds, and the difference from relu with its standard error.

print(f"{'':17s} CIFAR-10{'digits':>16s}{'':17s}{'letters':>16s}")
for name, (_, claimed) in FAMILY.items():
    cells = []
    for data in EPOCHS:
        e, gap = np.array(errors[data][name]), np.subtract(errors[data][name], errors[data]["relu"])
        cells.append(
            f"{e.mean():6.2%} +- {e.std():.2%} ({gap.mean():+.2%} +- {gap.std() / max(1, len(gap) - 1) ** 0.5:.2%})"
        )
    print(f"{name:17s} {f'{claimed:.2f}%' if claimed else '':9s} {'   '.join(cells)}")

first, second = (np.concatenate([np.ravel(layers[i]) for layers in slopes]) for i in (0, 1))
print("\nslopes that prelu learned on the letters, from 0.25 at the start: quantiles 5%, 50%, 95%")
for name, values in (("first hidden layer", first), ("second", second)):
    print(f"  {name:20s}", ", ".join(f"{q:.2f}" for q in np.quantile(values, (0.05, 0.5, 0.95))))

# %%
# What came out
# -------------
# The order found on CIFAR-10 does not reappear. There, slopes near 0.2 were best; here, whether fixed, random or learned,
# they are a little worse than relu on both data sets, and prelu lowers most of its slopes. maxout, which has twice the
# weights, is as good as relu or better; sigmoid is worst on both. The standard error says how far to trust a difference:
# many are as small as the spread between seeds, and no reason to choose one activation.

figure, axes = plt.subplots(1, 3, figsize=(13, 4), width_ratios=[1, 1, 0.9])
for ax, (data, by_name) in zip(axes, errors.items()):
    for row, (name, values) in enumerate(reversed(by_name.items())):
        colour = GREY if name in ("tanh", "sigmoid") else BLUE if name == "relu" else GREEN
        ax.plot(values, [row] * len(values), "o", color=colour, alpha=0.35, markeredgewidth=0)
        ax.plot(np.mean(values), row, "|", color=colour, markersize=16, markeredgewidth=2.5)
    ax.axvline(np.mean(by_name["relu"]), color=BLUE, linewidth=0.8, linestyle=":")
    ax.set(title=f"Test error on {data}: each seed, and the mean", yticks=range(len(FAMILY)))
    ax.set_yticklabels(list(reversed(FAMILY)) if ax is axes[0] else [])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    ax.xaxis.set_major_formatter("{x:.1%}")
bins = np.linspace(min(first.min(), second.min()), max(first.max(), second.max()), 41)
axes[2].hist(first, bins, color=BLUE, alpha=0.7)
axes[2].hist(second, bins, color=ORANGE, alpha=0.7)
axes[2].axvline(0.25, color="black", linewidth=0.8, linestyle="--")
top = axes[2].get_ylim()[1]
axes[2].text(0.25, top, " start", va="top")
axes[2].text(bins[0], top * 0.95, "first hidden layer", color=BLUE)
axes[2].text(bins[0], top * 0.87, "second hidden layer", color=ORANGE)
axes[2].set(title="Slopes that prelu learned on letters", xlabel="slope", yticks=[])
axes[2].spines["left"].set_visible(False)
figure.savefig("family.png")
