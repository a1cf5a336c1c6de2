"""
Six times faster? On letters, tanh is quicker than relu
=======================================================

"A four-layer convolutional neural network with ReLUs reaches a 25% training error rate on CIFAR-10 six times faster than
an equivalent network with tanh neurons" (Krizhevsky, Sutskever and Hinton, ImageNet classification with deep
convolutional neural networks, 2012, Fig. 1). The learning rates were chosen for each, nothing was regularised, and the
caption says that the size of the effect varies with the architecture. Here are two others, on letters: a network of four
layers without convolutions, and a small one with two layers of them.
"""

# %%
# How it is counted
# -----------------
# The measure is the number of SGD steps (momentum 0.9, 100 rows each) until the error on 1,000 training rows falls to a
# quarter, checked every ten steps. For each activation the rate with the fewest steps wins; a run that needs more steps
# than the best rate so far is stopped. The best rate then runs from other seeds.

import matplotlib.pyplot as plt
import numpy as np

import pyrelu as pr
from pyrelu._examples.letters import LETTERS, load
from pyrelu._examples.support import COLORS, GREY, compare, use_style

use_style()

ROWS = 5000  # quick: 200
BATCH, LOOK = 100, 10
GOAL = 0.25
HIDDEN = (128, 128, 128)
RATES = (0.1, 0.03, 0.3, 0.01)
LIMIT = 1200  # quick: 20
FEW = 200  # quick: 20
SEEDS = range(5)  # quick: range(1)
X, _, y, _ = load(ROWS, 10)
X = X - X.mean()
classes = np.arange(len(LETTERS))


def plain(activation, rate, seed, init="auto"):
    """Return 784-128-128-128-10."""
    settings = dict(solver="sgd", batch_size=BATCH, alpha=0, init=init, learning_rate_init=rate, random_state=seed)
    return pr.MLPClassifier(HIDDEN, activation=activation, **settings)


def errors(model, seed, limit):
    """Return the training error every LOOK steps, until it is GOAL or the limit is reached."""
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


def tuned(make, activation, limit=LIMIT, **settings):
    """Return the rate with which GOAL is reached first, and after how many steps."""
    best, steps = RATES[0], limit
    for rate in RATES:
        curve = errors(make(activation, rate, 0, **settings), 0, steps)
        if curve[-1] <= GOAL and len(curve) * LOOK < steps:
            best, steps = rate, len(curve) * LOOK
    return best, steps


def race(make, activations, limit=LIMIT):
    """Return activation -> curves of all seeds at its best rate."""
    results = {}
    for activation in activations:
        rate, _ = tuned(make, activation, limit)
        results[activation] = [errors(make(activation, rate, seed), seed, limit) for seed in SEEDS]
        counts = [len(curve) * LOOK for curve in results[activation]]
        print(
            f"{activation:8s} best rate {rate:4.2g}: {np.mean(counts):6.0f} steps, from {min(counts)} to {max(counts)}"
        )
    return results


results = race(plain, ("relu", "tanh", "sigmoid"))

# %%
# The weights above start as scikit-learn's do, after Glorot and Bengio. Two other starts, again with rates tuned for
# each: He's, which is made for relu, and the small normal weights that were usual in 2012.

STARTS = {"He's": "he_normal", "normal, 0.01": ("truncated_normal", {"std": 0.01})}
starts = {
    name: tuned(plain, "tanh", init=init)[1] / tuned(plain, "relu", init=init)[1] for name, init in STARTS.items()
}

# %%
# With convolutions
# -----------------
# The claim is about a network with convolutions, which the estimator does not have. Here is a small one by hand: 16 and then 32
# filters of 5 x 5, at every second pixel, 128 units, softmax. A convolution is a product with the patches of the image,
# so that its backward pass is a product too, and the patches' gradients are added up where they overlap.


class ConvNet:
    """Two convolutions, a hidden layer and softmax; SGD with momentum 0.9 from Glorot's weights."""

    SHAPES = ((25, 16), (25 * 16, 32), (4 * 4 * 32, 128), (128, 10))

    def __init__(self, activation, rate, seed, dtype=np.float32):
        rng = np.random.default_rng(seed)
        self.activation, self.backward, self.rate = getattr(pr, activation), getattr(pr.vjp, activation), rate
        self.parameters = [rng.normal(0, np.sqrt(2 / sum(s)), s).astype(dtype) for s in self.SHAPES]
        self.parameters += [np.zeros(n, dtype) for _, n in self.SHAPES]
        self.velocities = [np.zeros_like(p) for p in self.parameters]

    def forward(self, X):
        """Return the logits; keep what each layer is given and its pre-activations."""
        self.inputs, self.z = [], []
        h = X.reshape(-1, 28, 28, 1)
        for i in range(4):
            self.inputs.append(self._patches(h) if i < 2 else h.reshape(len(h), -1))
            self.z.append(self.inputs[-1] @ self.parameters[i] + self.parameters[4 + i])
            h = self.activation(self.z[-1]) if i < 3 else self.z[-1]
        return h

    def gradients(self, X, y):
        g = (pr.softmax(self.forward(X)) - np.eye(10, dtype=X.dtype)[y]) / X.dtype.type(len(X))
        result = [None] * 8
        for i in reversed(range(4)):
            rows, g_rows = self.inputs[i].reshape(-1, len(self.parameters[i])), g.reshape(-1, g.shape[-1])
            result[i], result[4 + i] = rows.T @ g_rows, g_rows.sum(axis=0)
            if i > 0:
                g = g @ self.parameters[i].T
                g = self._unpatch(g, self.z[0].shape) if i == 1 else g.reshape(self.z[i - 1].shape)
                g = self.backward(self.z[i - 1], g)
        return result

    def partial_fit(self, X, y, classes=None):
        for i in range(0, len(X), BATCH):
            for p, v, g in zip(self.parameters, self.velocities, self.gradients(X[i : i + BATCH], y[i : i + BATCH])):
                v *= 0.9
                v -= self.rate * g
                p += v
        if not all(np.isfinite(p).all() for p in self.parameters):
            raise ValueError("diverged")

    def score(self, X, y):
        return (self.forward(X).argmax(axis=1) == y).mean()

    @staticmethod
    def _patches(images):
        windows = np.lib.stride_tricks.sliding_window_view(images, (5, 5), axis=(1, 2))[:, ::2, ::2]
        return windows.reshape(*windows.shape[:3], -1)

    @staticmethod
    def _unpatch(g, shape):
        n, height, width, _ = g.shape
        g, images = g.reshape(n, height, width, shape[3], 5, 5), np.zeros(shape, g.dtype)
        for i, j in np.ndindex(5, 5):
            images[:, i : i + 2 * height : 2, j : j + 2 * width : 2] += g[..., i, j]
        return images


# %%
# Its gradient, against central differences in a random direction:

probe, labels = X[:20].astype(np.float64), y[:20]
net = ConvNet("tanh", 0.1, 0, np.float64)
direction = [np.random.default_rng(1).normal(size=p.shape) for p in net.parameters]
slope = sum((g * d).sum() for g, d in zip(net.gradients(probe, labels), direction))
losses = []
for step in (1e-5, -2e-5):
    for p, d in zip(net.parameters, direction):
        p += step * d
    losses.append((pr.logsumexp(net.forward(probe)) - net.forward(probe)[np.arange(20), labels]).mean())
assert abs((losses[0] - losses[1]) / 2e-5 - slope) < 1e-5 * abs(slope)

with np.errstate(over="ignore", invalid="ignore"):  # rates that are too high
    convolved = race(ConvNet, ("relu", "tanh"), limit=FEW)

# %%


def steps_of(curves):
    return LOOK * np.mean([len(curve) for curve in curves])


mean = {name: steps_of(curves) for name, curves in results.items()}
ratio = steps_of(convolved["tanh"]) / steps_of(convolved["relu"])
compare(
    [
        ("steps of tanh for one of relu, with convolutions", "6, on CIFAR-10", f"{ratio:.1f}"),
        ("the same without convolutions", "", f"{mean['tanh'] / mean['relu']:.1f}"),
        *((f"and with weights {name}", "", f"{r:.1f}") for name, r in starts.items()),
        ("steps of sigmoid for one of relu, without", "more still", f"{mean['sigmoid'] / mean['relu']:.1f}"),
    ]
)

# %%
# What came out
# -------------
# The factor of six does not appear here. With rates tuned for each activation and centred inputs, tanh needs fewer steps
# than relu on letters: three quarters as many, with convolutions and without. With He's weights the two are equal; with
# small normal ones tanh needs half as many. The sigmoid is slower by far, because its gradient vanishes. So the claim
# holds for that network and those images, as its caption says; "relu learns six times faster" claims more.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4), width_ratios=[1.5, 1])
for name, curves in results.items():
    for curve in curves:
        left.plot(LOOK * np.arange(1, len(curve) + 1), curve, color=COLORS[name], linewidth=1)
rows = [(name, name, curves) for name, curves in results.items()]
rows += [(name, f"{name}, with convolutions", curves) for name, curves in convolved.items()]
for row, (name, label, curves) in enumerate(reversed(rows)):
    right.plot([LOOK * len(curve) for curve in curves], [row] * len(curves), "o", color=COLORS[name], alpha=0.4)
    right.text(steps_of(curves), row + 0.2, f"{label}: {steps_of(curves):.0f}", color=COLORS[name], ha="center")
left.axhline(GOAL, color=GREY, linestyle="--", linewidth=0.8)
left.text(900, GOAL + 0.02, "25%", color="0.4")
for name, place in {"relu": (23, 0.52), "tanh": (10, 0.31), "sigmoid": (20, 0.93)}.items():
    left.text(*place, name, color=COLORS[name])
left.set(
    title="Training error without convolutions, five seeds",
    xlabel="step of 100 rows",
    xscale="log",
    xlim=(10, 1300),
    ylim=(0, 1),
)
left.yaxis.set_major_formatter("{x:.0%}")
right.set(
    title="Steps to 25% training error", xlabel="steps", xscale="log", xlim=(10, 2000), ylim=(-0.5, 4.6), yticks=[]
)
right.spines["left"].set_visible(False)
figure.savefig("six_times_faster.png")
