"""
Fixed filter banks: only the slopes of relu are learned
=======================================================

A network turned inside out: its linear maps are fixed and its activations are learned. Each layer is a fast
Walsh-Hadamard transform, n log n additions and no weight, and each unit has a two-slope relu of its own, which
multiplies positive inputs by one learned number and negative ones by another.
"""

# %%
# The layers
# ----------
# The transform of n numbers is the orthogonal matrix of rows +1 and -1, scaled by 1/sqrt(n); a butterfly of additions
# computes it. It is its own inverse and its own transpose, so that the backward pass is the same function. Signs drawn
# once at random come first: without them, a few units would hold nearly all of the transform of a smooth image.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import hadamard
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import pyrelu as pr
from pyrelu._examples.support import BLUE, GREY, ORANGE, SKY, use_style

use_style()


def walsh_hadamard(x):
    """Return the orthogonal Walsh-Hadamard transform of each row; the rows' length is a power of 2."""
    n = x.shape[1]
    half = 1
    while half < n:
        pairs = x.reshape(-1, n // (2 * half), 2, half)
        x = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2).reshape(-1, n)
        half *= 2
    return x / np.sqrt(n)


probe = np.random.default_rng(0).standard_normal((3, 64))
assert np.allclose(walsh_hadamard(probe), probe @ hadamard(64) / 8)


def two_slopes(z, up, down):
    """Return up * z where z > 0 and down * z elsewhere: ``up * relu(z) - down * relu(-z)``."""
    return up * pr.relu(z) - down * pr.relu(-z)


def two_slopes_vjp(z, g, up, down):
    """Return the gradients with respect to z, up and down, given that with respect to the result."""
    return (
        pr.vjp.relu(z, g * up) + pr.vjp.relu(-z, g * down),
        (g * pr.relu(z)).sum(axis=0),
        (-g * pr.relu(-z)).sum(axis=0),
    )


# %%
# The network
# -----------
# 64 pixels, copied four times with other signs, go through layers of 256 units; then softmax. Adam, in five lines,
# trains the slopes and the last layer.

WIDTH, COPIES, BATCH, RATE = 256, 4, 64, 0.003
EPOCHS = 30  # quick: 1


class FilterBank:
    """Signs, transform, two slopes; `depth` times; then softmax."""

    def __init__(self, depth, rng, train_slopes):
        self.signs = rng.choice([-1.0, 1.0], (COPIES, 64))
        self.train_slopes = train_slopes
        self.parameters = [np.ones((depth, WIDTH)), np.zeros((depth, WIDTH)), np.zeros((WIDTH, 10)), np.zeros(10)]
        self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in self.parameters]
        self.t = 0

    def forward(self, X):
        up, down, weights, bias = self.parameters
        h = (X[:, np.newaxis] * self.signs).reshape(len(X), WIDTH)
        self.inputs = []
        for i in range(len(up)):
            self.inputs.append(walsh_hadamard(h))
            h = two_slopes(self.inputs[-1], up[i], down[i])
        self.h = h
        return h @ weights + bias

    def gradients(self, X, y):
        up, down, weights, _ = self.parameters
        g = (pr.softmax(self.forward(X)) - np.eye(10)[y]) / len(X)
        of_up, of_down, of_weights, of_bias = np.empty_like(up), np.empty_like(down), self.h.T @ g, g.sum(axis=0)
        g = g @ weights.T
        for i in reversed(range(len(up))):
            g, of_up[i], of_down[i] = two_slopes_vjp(self.inputs[i], g, up[i], down[i])
            g = walsh_hadamard(g)
        return [of_up * self.train_slopes, of_down * self.train_slopes, of_weights, of_bias]

    def step(self, X, y):
        self.t += 1
        for p, (m, v), g in zip(self.parameters, self.moments, self.gradients(X, y)):
            m += 0.1 * (g - m)
            v += 0.001 * (g**2 - v)
            p -= RATE * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)

    def fit(self, X, y, rng):
        for _ in range(EPOCHS):
            for rows in np.array_split(rng.permutation(len(X)), len(X) // BATCH):
                self.step(X[rows], y[rows])
        return self

    def score(self, X, y):
        return (self.forward(X).argmax(axis=1) == y).mean()

    def size(self):
        return sum(p.size for p in self.parameters[0 if self.train_slopes else 2 :])


# %%
# Are the gradients right? Against central differences, before anything is trained on them.

X, y = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
rng = np.random.default_rng(0)
bank = FilterBank(2, rng, True)
for p in bank.parameters:
    p += 0.1 * rng.standard_normal(p.shape)


def log_loss():
    return (pr.logsumexp(logits := bank.forward(X[:50])) - logits[np.arange(50), y[:50]]).mean()


for p, g in zip(bank.parameters, bank.gradients(X[:50], y[:50])):
    direction = rng.standard_normal(p.shape)
    p += 1e-5 * direction
    above = log_loss()
    p -= 2e-5 * direction
    assert abs((above - log_loss()) / 2e-5 - (g * direction).sum()) < 1e-6
    p += 1e-5 * direction

# %%
# The results
# ---------------
# For comparison: the same with slopes fixed at relu's 1 and 0; softmax on the pixels; and an ordinary network of 64 relu
# units.

SEEDS = range(5)  # quick: range(1)
DEPTHS = (1, 3)
results = {}
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed


def record(name, size, score):
    results.setdefault(name, (size, []))[1].append(score)


last_bank = None
for seed in SEEDS:
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=y)
    for depth in DEPTHS:
        for trained in (False, True):
            rng = np.random.default_rng(seed)
            bank = FilterBank(depth, rng, trained).fit(X_train, y_train, rng)
            kind = "slopes trained" if trained else "relu"
            last_bank = bank if trained else last_bank
            record(f"Walsh-Hadamard x {depth}, {kind}", bank.size(), bank.score(X_test, y_test))
    for name, hidden in (("softmax on the pixels", ()), ("64-64-10 relu", (64,))):
        model = pr.MLPClassifier(
            hidden,
            batch_size=BATCH,
            learning_rate_init=RATE,
            max_iter=EPOCHS,
            random_state=seed,
            n_iter_no_change=EPOCHS,
        )
        model.fit(X_train, y_train)
        record(name, sum(p.size for p in (*model.coefs_, *model.intercepts_)), model.score(X_test, y_test))
print(f"test accuracy, mean and standard deviation over {len(SEEDS)} splits")
for name, (size, scores) in results.items():
    print(f"  {name:34s} {size:5d} trained numbers  {np.mean(scores):.2%} +- {np.std(scores):.2%}")

# %%
# What came out
# -------------
# On digits, the fixed filter bank matches a network with weights. Most of that is due to the transform and plain relu: one
# fixed layer already beats softmax on the pixels clearly. Training the slopes matters when layers are stacked, because a
# stack of fixed relus only loses information. Left: each dot is a unit of the last bank trained. All slopes started at
# relu's; most became steeper and leaky, on the way from relu to the identity.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4), width_ratios=[1, 1.2])
for i, colour in enumerate((BLUE, SKY, ORANGE)):
    left.scatter(*(slopes[i] for slopes in last_bank.parameters[:2]), s=7, color=colour, label=f"layer {i}")
for name, x, y in (("relu", 1, 0), ("identity", 1, 1), ("|x|", 1, -1)):
    left.plot(x, y, "+", color="black", markersize=11)
    left.annotate(name, (x, y), xytext=(-8, 5), textcoords="offset points", ha="right")
left.set(title="The learned slopes of a bank of three layers", xlabel="slope for z > 0", ylabel="slope for z < 0")
left.set(xlim=(0, 2.4), ylim=(-1.5, 1.5), aspect="equal")
left.legend(loc="lower right", handletextpad=0.1)
ranked = sorted(results, key=lambda name: np.mean(results[name][1]))
for row, name in enumerate(ranked):
    colour = BLUE if "slopes" in name else SKY if "Walsh" in name else GREY
    scores = results[name][1]
    right.plot(scores, [row] * len(scores), "o", color=colour, alpha=0.35, markeredgewidth=0)
    right.plot(np.mean(scores), row, "|", color=colour, markersize=16, markeredgewidth=2.5)
right.set_yticks(range(len(ranked)), ranked)
right.tick_params(axis="y", length=0)
right.xaxis.set_major_formatter("{x:.1%}")
right.set(title="Test accuracy: each split, and the mean")
right.spines["left"].set_visible(False)
figure.savefig("walsh_hadamard.png")
