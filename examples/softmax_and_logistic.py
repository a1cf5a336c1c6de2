"""
For two classes, softmax is the logistic sigmoid
================================================

For two classes, softmax and the logistic sigmoid are the same model. For more classes they differ: softmax if exactly
one class is right, independent sigmoids if any number may be.
"""

# %%
# The same function
# -----------------
# ``exp(b) / (exp(a) + exp(b))`` is ``1 / (1 + exp(a - b))``: softmax of two numbers is the sigmoid of their difference.

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import pyrelu as pr
from pyrelu._examples.support import BLUE, GREY, ORANGE, compare, use_style

use_style()

rng = np.random.default_rng(0)
pairs = rng.normal(0, 20, (100_000, 2))
as_softmax, as_sigmoid = pr.softmax(pairs)[:, 1], pr.sigmoid(pairs[:, 1] - pairs[:, 0])
function_gap = np.abs(as_softmax / as_sigmoid - 1).max()

# %%
# The same model
# --------------
# Breast cancer, two classes, 30 features. Three fits of a linear model: scikit-learn's logistic regression; a network
# without hidden layers, which has one logistic output for two classes; and a softmax with two outputs, fitted here with
# ``pr.logsumexp`` and SciPy. The penalty needs care: softmax splits the logistic weights into halves, w/2 and -w/2,
# whose squares add up to half, so it needs twice the penalty to be the same model.

alpha = 1.0
X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)
logistic = LogisticRegression(C=1 / alpha, tol=1e-10, max_iter=1000).fit(X, y)
network = pr.MLPClassifier((), solver="lbfgs", alpha=alpha, tol=1e-8, max_iter=1000, random_state=0).fit(X, y)


def softmax_loss(parameters):
    """Return the penalised log-loss of two softmax outputs, and its gradient."""
    weights = parameters.reshape(len(X[0]) + 1, 2)  # the last row: the biases
    logits = X @ weights[:-1] + weights[-1]
    loss = (pr.logsumexp(logits) - logits[np.arange(len(X)), y]).sum() + alpha * np.square(weights[:-1]).sum()
    g = pr.softmax(logits) - np.eye(2)[y]
    return loss, np.vstack([X.T @ g + 2 * alpha * weights[:-1], g.sum(axis=0)]).ravel()


solution = minimize(softmax_loss, np.zeros(62), jac=True, method="L-BFGS-B", options=dict(gtol=1e-8, ftol=1e-15))
weights = solution.x.reshape(31, 2)
probabilities = {
    "network": network.predict_proba(X)[:, 1],
    "softmax": pr.softmax(X @ weights[:-1] + weights[-1])[:, 1],
}
theirs = logistic.predict_proba(X)[:, 1]
gaps = {name: np.abs(ours - theirs).max() for name, ours in probabilities.items()}
halves = np.abs(weights[:-1, 0] + weights[:-1, 1]).max()
compare(
    [
        ("softmax of two against sigmoid, relative difference", "0", f"{function_gap:.1e}"),
        ("logistic network against logistic regression", "0", f"{gaps['network']:.1e}"),
        ("two softmax outputs against logistic regression", "0", f"{gaps['softmax']:.1e}"),
        ("the two columns of softmax weights, summed", "0", f"{halves:.1e}"),
    ]
)
assert gaps["softmax"] < 1e-5 and gaps["network"] < 1e-3

# %%
# The network differs by more than rounding because its solver stops earlier: like scikit-learn's networks, it uses SciPy's
# default for L-BFGS, which stops once a step lowers the loss by less than 2e-9 of its value.

# %%
# One of ten, or any of four
# --------------------------
# The digits again: which of ten it is (exactly one: softmax), and which of four properties it has (any number of them:
# a multilabel target, for which the network has independent logistic outputs).

PROPERTIES = {
    "even": {0, 2, 4, 6, 8},
    "prime": {2, 3, 5, 7},
    "square": {0, 1, 4, 9},
    "has a loop": {0, 6, 8, 9},
}
X, y = load_digits(return_X_y=True)
Y = np.array([[digit in those for those in PROPERTIES.values()] for digit in y], dtype=int)
X_train, X_test, y_train, y_test, Y_train, Y_test = train_test_split(X / 16, y, Y, random_state=0)
ITERATIONS = 5000  # quick: 20
settings = dict(hidden_layer_sizes=(64,), solver="lbfgs", alpha=1.0, max_iter=ITERATIONS, random_state=0)
which = pr.MLPClassifier(**settings).fit(X_train, y_train)
has = pr.MLPClassifier(**settings).fit(X_train, Y_train)


def extremes(probabilities):
    """Return the least and the largest sum of a row."""
    sums = probabilities.sum(axis=1)
    return sums.min(), sums.max()


P_which, P_has = which.predict_proba(X_test), has.predict_proba(X_test)
compare(
    [
        (f"sum of the {which.out_activation_} probabilities", "1", "{:.6f} to {:.6f}".format(*extremes(P_which))),
        (f"sum of the {has.out_activation_} probabilities", "any", "{:.2f} to {:.2f}".format(*extremes(P_has))),
        ("test rows with the right digit", "", f"{which.score(X_test, y_test):.1%}"),
        ("test rows with all four properties right", "", f"{has.score(X_test, Y_test):.1%}"),
    ]
)

# %%
# The two models can disagree: the digit is one answer, the properties are four. Left: one curve under two names.
# Right: the test image for which the softmax is least certain, and the output of each network.

doubtful = np.argsort(P_which.max(axis=1))[0]
figure, (left, image, middle, right) = plt.subplots(1, 4, figsize=(12, 3.4), width_ratios=[2.6, 1.3, 2.2, 1.6])
z = np.linspace(-6, 6, 241)
left.plot(z, pr.softmax(np.stack([np.zeros_like(z), z], axis=1))[:, 1], color=ORANGE, linewidth=6, alpha=0.5)
left.plot(z, pr.sigmoid(z), color=BLUE, linewidth=1.5)
left.text(-5.8, 0.9, "softmax of (0, z)", color=ORANGE)
left.text(-5.8, 0.8, "sigmoid of z", color=BLUE)
left.set(title="Two classes: the same curve", xlabel="z", yticks=[0, 0.5, 1])
image.imshow(X_test[doubtful].reshape(8, 8), cmap="gray_r")
image.set(title=f"a {y_test[doubtful]}", xticks=[], yticks=[])
image.spines[:].set_visible(False)
for axes, names, bars, title in (
    (middle, [str(digit) for digit in range(10)], P_which[doubtful], "One of ten: softmax (blue: true)"),
    (right, list(PROPERTIES), P_has[doubtful], "Any of four: logistic"),
):
    true = np.eye(10)[y_test[doubtful]] if len(bars) == 10 else Y_test[doubtful]
    axes.barh(names, bars, color=[BLUE if t else GREY for t in true])
    axes.set(title=title, xlim=(0, 1), xticks=[0, 0.5, 1], xlabel=f"probability; sum {bars.sum():.2f}")
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
figure.savefig("softmax_and_logistic.png")
