"""
Vanishing gradients: ten layers of sigmoid do not train
=======================================================

Backpropagation multiplies the gradient by the activation's derivative once per layer. The derivative of the sigmoid is
at most 1/4, so ten layers shrink the gradient by up to :math:`4^{10}`, about a million; tanh and relu let it pass where
their derivative is near 1. This example runs one batch of digits forward and backward through ten layers of 64 units,
and then trains such networks.
"""

# %%
# The derivatives
# ---------------
# The two textbook bounds, checked at steps of 0.0001 from -20 to 20.

import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import pyrelu as pr
from pyrelu._examples.support import COLORS, compare, label_ends, use_style

use_style()

x = np.linspace(-20, 20, 400_001)
sigmoid_slope, tanh_slope = pr.derivative.sigmoid(x), pr.derivative.tanh(x)
middle = tanh_slope[np.abs(x) <= 1.31]
compare(
    [
        ("largest derivative of sigmoid", "1/4", f"{sigmoid_slope.max():.4f} at x = {x[sigmoid_slope.argmax()]:.0f}"),
        ("derivative of tanh for |x| <= 1.31", "in (0.25, 1]", f"in [{middle.min():.4f}, {middle.max():.4f}]"),
    ]
)

# %%
# One batch, ten layers
# ---------------------
# Each activation gets the initial weights that were proposed for it, so that none is at a disadvantage: Glorot and
# Bengio's for sigmoid and tanh, He's for relu, LeCun's for selu. ``pr.vjp.<name>(z, g)`` is the backward step of the
# activation: `g` times the derivative at `z`. (``pyrelu.inspection.gradient_norms`` does this for a fitted network.)

DEPTH, WIDTH = 10, 64
X, y = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
VARIANCE = {  # of a weight, given the layer's inputs and outputs
    "sigmoid": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "tanh": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "relu": lambda fan_in, fan_out: 2 / fan_in,
    "selu": lambda fan_in, fan_out: 1 / fan_in,
}


def gradient_norms(name, rng):
    """Return the norm of the loss's gradient with respect to the input of each hidden layer's activation."""
    activation, backward = getattr(pr, name), getattr(pr.vjp, name)
    units = [X.shape[1], *[WIDTH] * DEPTH, 10]
    weights = [rng.normal(0, np.sqrt(VARIANCE[name](*shape)), shape) for shape in pairwise(units)]
    inputs, h = [], X
    for weight in weights[:-1]:
        inputs.append(h @ weight)
        h = activation(inputs[-1])
    g = (pr.softmax(h @ weights[-1]) - np.eye(10)[y]) / len(X)  # of the log-loss
    norms = []
    for weight, z in zip(weights[:0:-1], inputs[::-1]):
        g = backward(z, g @ weight.T)
        norms.append(np.linalg.norm(g))
    return norms[::-1]


SEEDS = range(20)  # quick: range(2)
norms = {name: np.array([gradient_norms(name, np.random.default_rng(seed)) for seed in SEEDS]) for name in VARIANCE}
reach = {name: f"{np.median(norm[:, 0] / norm[:, -1]):.2g}" for name, norm in norms.items()}
compare(
    [
        (
            "share of the gradient that gets from layer 9 to 0, sigmoid",
            f"about 4^-9 = {4**-9:.2g}",
            reach.pop("sigmoid"),
        ),
        *((f"the same, {name}", "does not vanish", share) for name, share in reach.items()),
    ]
)

# %%
# What that does to training
# --------------------------
# The same depth, trained with Adam. scikit-learn's rule gives the sigmoid weights of a third of the variance.

EPOCHS = 40  # quick: 2
models = {}
for name in VARIANCE:
    model = pr.MLPClassifier(
        (WIDTH,) * DEPTH, activation=name, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed
        models[name] = model.fit(X, y)
    print(f"{name:8s} training accuracy after {EPOCHS} epochs: {model.score(X, y):.1%} (guessing gives 10%)")

# %%
# What came out
# -------------
# The sigmoid's gradient shrinks by a constant factor per layer. Almost nothing reaches the first layer, and the network
# does no better than guessing; the others train. tanh also loses some of the gradient, but not an order of magnitude per
# layer. None of this shows that relu is safe at any depth: He's variance of the weights keeps its gradient level.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8))
x = np.linspace(-5, 5, 501)
for name in VARIANCE:
    left.plot(x, getattr(pr.derivative, name)(x), color=COLORS[name], label=name)
    low, median, high = np.quantile(norms[name], (0.1, 0.5, 0.9), axis=0)
    layers = np.arange(DEPTH)
    middle.fill_between(layers, low, high, color=COLORS[name], alpha=0.2, linewidth=0)
    middle.plot(layers, median, "o-", markersize=4, color=COLORS[name], label=name)
    right.plot(np.arange(1, EPOCHS + 1), models[name].loss_curve_, color=COLORS[name], label=name)
left.axhline(0.25, color="0.6", linewidth=0.8, linestyle="--")
left.text(-5, 0.27, "1/4", color="0.4")
left.set(title="Derivative", xlabel="x")
middle.set(title=f"Gradient norm at each of {DEPTH} layers", xlabel="hidden layer", yscale="log", xticks=layers)
right.set(title="Training loss on digits", xlabel="epoch", yscale="log")
for axes in (left, middle, right):
    label_ends(axes)
figure.savefig("vanishing_gradients.png")
