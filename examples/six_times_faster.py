"""
Six times faster
================

"A four-layer convolutional neural network with ReLUs reaches a 25% training error rate on CIFAR-10 six times faster than
an equivalent network with tanh neurons" (Krizhevsky, Sutskever and Hinton, ImageNet classification with deep
convolutional neural networks, 2012, Fig. 1). The learning rates were chosen for each, nothing was regularised, and the
caption says that the size of the effect varies with the architecture. Here is another architecture: a network of four
layers without convolutions, on letters.
"""

# %%
# How it is counted
# -----------------
# The steps of SGD (momentum 0.9, 100 rows each) until a quarter of 1,000 training rows is wrong, looked at every ten
# steps. For each activation the rate with the fewest steps wins; a run that has used up the steps of the best rate so
# far is stopped. The best rate is then run from other seeds.

import matplotlib.pyplot as plt
import numpy as np
from letters import LETTERS, load
from support import COLORS, GREY, compare

import pyrelu as pr

ROWS = 5000  # quick: 200
BATCH, LOOK = 100, 10
GOAL = 0.25
HIDDEN = (128, 128, 128)
RATES = (0.03, 0.1, 0.3, 0.01, 1.0)
LIMIT = 2000  # quick: 20
SEEDS = range(5)  # quick: range(1)
X, _, y, _ = load(ROWS, 10)
X = X - X.mean()
classes = np.arange(len(LETTERS))


def errors(activation, init, rate, seed, limit):
    """Return the training error every LOOK steps, until it is GOAL or the limit is reached."""
    settings = dict(solver="sgd", batch_size=BATCH, alpha=0, init=init, learning_rate_init=rate, random_state=seed)
    model = pr.MLPClassifier(HIDDEN, activation=activation, **settings)
    rng, curve = np.random.default_rng(seed), []
    while len(curve) * LOOK < limit:
        for rows in np.array_split(rng.permutation(len(X)), max(1, len(X) // (LOOK * BATCH))):
            try:
                model.partial_fit(X[rows], y[rows], classes=classes)
            except ValueError:  # to infinity
                return [*curve, np.nan]
            curve.append(1 - model.score(X[:1000], y[:1000]))
            if curve[-1] <= GOAL or len(curve) * LOOK >= limit:
                return curve
    return curve


def tuned(activation, init="auto"):
    """Return the rate with which GOAL is reached first, and after how many steps."""
    best, steps = RATES[0], LIMIT
    for rate in RATES:
        curve = errors(activation, init, rate, 0, steps)
        if curve[-1] <= GOAL and len(curve) * LOOK < steps:
            best, steps = rate, len(curve) * LOOK
    return best, steps


results = {}
for activation in ("relu", "tanh", "sigmoid"):
    rate, _ = tuned(activation)
    curves = [errors(activation, "auto", rate, seed, LIMIT) for seed in SEEDS]
    results[activation] = rate, curves
    counts = [len(curve) * LOOK for curve in curves]
    print(f"{activation:8s} best rate {rate:4.2g}: {np.mean(counts):6.0f} steps, from {min(counts)} to {max(counts)}")

# %%
# The weights above start as scikit-learn's do, after Glorot and Bengio. Two other starts, again with rates tuned for
# each: He's, which is made for relu, and the small normal weights that were usual in 2012.

STARTS = {"He's": "he_normal", "normal, 0.01": ("truncated_normal", {"std": 0.01})}
starts = {name: tuned("tanh", init)[1] / tuned("relu", init)[1] for name, init in STARTS.items()}
mean = {name: np.mean([len(curve) for curve in curves]) for name, (_, curves) in results.items()}
compare(
    [
        ("steps of tanh for one of relu", "6, a CNN on CIFAR-10", f"{mean['tanh'] / mean['relu']:.1f}"),
        *((f"the same, weights {name}", "", f"{ratio:.1f}") for name, ratio in starts.items()),
        ("steps of sigmoid for one of relu", "more still", f"{mean['sigmoid'] / mean['relu']:.1f}"),
    ]
)

# %%
# What came out
# -------------
# The six is not to be found here. With rates tuned for each and inputs that are centred, tanh is as fast as relu on
# letters, or faster, whatever the start of the weights. The sigmoid is slower by far, which is the gradient that
# vanishes. So the claim is one about that network and those images; "relu learns six times faster" is more than it says.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4), width_ratios=[1.5, 1])
for row, (name, (_, curves)) in enumerate(reversed(results.items())):
    for curve in curves:
        left.plot(LOOK * np.arange(1, len(curve) + 1), curve, color=COLORS[name], linewidth=1)
    right.plot([LOOK * len(curve) for curve in curves], [row] * len(curves), "o", color=COLORS[name], alpha=0.4)
    right.text(LOOK * mean[name], row + 0.15, f"{name}: {LOOK * mean[name]:.0f}", color=COLORS[name], ha="center")
left.axhline(GOAL, color=GREY, linestyle="--", linewidth=0.8)
left.text(900, GOAL + 0.02, "25%", color="0.4")
for name, place in {"relu": (23, 0.52), "tanh": (10, 0.31), "sigmoid": (20, 0.93)}.items():
    left.text(*place, name, color=COLORS[name])
left.set(title="Training error, five seeds each", xlabel="step of 100 rows", xscale="log", ylim=(0, 1))
left.yaxis.set_major_formatter("{x:.0%}")
right.set(
    title="Steps to 25% training error", xlabel="steps", xscale="log", xlim=(10, 2000), ylim=(-0.5, 2.5), yticks=[]
)
right.spines["left"].set_visible(False)
figure.savefig("six_times_faster.png")
