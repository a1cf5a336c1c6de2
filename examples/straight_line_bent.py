"""
Without an activation, a deep network is a straight line
========================================================

Without an activation, a network of any depth is one linear map, and its decision boundary is a straight line. relu bends
the line: it divides the plane into polygons, and on each of them the network is a linear map of its own.
"""

# %%
# Linear and not
# --------------
# Three networks separate two half moons: one without hidden layers, one with two layers of 12 units and the identity as
# activation, and the same one with relu.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import hsv_to_rgb
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

import pyrelu as pr
from pyrelu._examples.support import BLUE, RED, compare, use_style
from pyrelu.inspection import local_linear_map

use_style()

X, y = make_moons(1000, noise=0.2, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
settings = dict(solver="lbfgs", alpha=1e-2, max_iter=5000, random_state=0)
models = {
    "no hidden layer": pr.MLPClassifier((), **settings),
    "12-12, identity": pr.MLPClassifier((12, 12), activation="identity", **settings),
    "12-12, relu": pr.MLPClassifier((12, 12), activation="relu", **settings),
}
scores = {name: model.fit(X_train, y_train).score(X_test, y_test) for name, model in models.items()}
compare([(name, "a bend" if "relu" in name else "a straight line", f"{score:.1%}") for name, score in scores.items()])

# %%
# Depth without an activation adds nothing: the product of the three matrices is one matrix.

deep = models["12-12, identity"]
product = np.linalg.multi_dot(deep.coefs_).ravel()
flat = models["no hidden layer"].coefs_[0].ravel()
cosine = product @ flat / np.linalg.norm(product) / np.linalg.norm(flat)
print(f"direction of the two linear boundaries: cosine {cosine:.6f}")

# %%
# The pieces
# ----------
# Where no unit changes sign, relu only multiplies by 0 or by 1. So around a point x the network's logit is
# ``w @ x + b``, and the pattern of active units determines w and b. ``pyrelu.inspection.local_linear_map`` returns them
# for one point of any network; the code below computes them for many points at once.


def local_maps(model, points):
    """Return w and b of the logit's local linear map at each point, and the number of its piece."""
    w, b = np.broadcast_to(np.eye(2), (len(points), 2, 2)), np.zeros((len(points), 1, 2))
    patterns = []
    for i, (coef, intercept) in enumerate(zip(model.coefs_, model.intercepts_)):
        w, b = w @ coef, b @ coef + intercept
        if i < len(model.coefs_) - 1:
            on = pr.derivative.relu(points[:, np.newaxis] @ w + b)
            w, b = w * on, b * on
            patterns.append(on[:, 0])
    piece = np.unique(np.hstack(patterns), axis=0, return_inverse=True)[1]
    return w[..., 0], b[:, 0, 0], piece.ravel()


bent = models["12-12, relu"]
SIDE = 600  # quick: 50
across, up = np.linspace(-1.8, 2.8, SIDE), np.linspace(-1.5, 2.0, SIDE)
points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
w, b, piece = local_maps(bent, points)
probability = bent.predict_proba(points)[:, 1]
gap = np.abs(pr.sigmoid((w * points).sum(axis=1) + b) - probability).max()
print(f"linear pieces in this window: {piece.max() + 1}")
print(f"largest difference of sigmoid(w @ x + b) and predict_proba: {gap:.1e}")
assert gap < 1e-12
one = local_linear_map(bent, points[0])
assert np.allclose(np.ravel(one.W), w[0]) and np.allclose(one.b, b[0])

# %%
# The figure shows three boundaries and the pieces of the last network. The colour of a piece is the direction of its w,
# the depth of the colour its steepness. Along the boundary the map changes from piece to piece: that is the bend.

figure, axes = plt.subplots(2, 2, figsize=(10, 7.4), sharex=True, sharey=True)
grid = (SIDE, SIDE)
window = dict(origin="lower", extent=(across[0], across[-1], up[0], up[-1]), aspect="auto")
for ax, (name, model) in zip(axes.flat, models.items()):
    of_blue = model.predict_proba(points)[:, 1].reshape(grid)
    ax.imshow(of_blue, cmap="RdBu", vmin=-1, vmax=2, **window)
    ax.contour(across, up, of_blue, levels=[0.5], colors="black")
    ax.scatter(*X_test.T, s=12, c=np.where(y_test == 1, BLUE, RED), edgecolors="white", linewidths=0.4)
    ax.set_title(f"{name}: {scores[name]:.1%} right on the test set")
steep = np.hypot(*w.T)
hue = (np.arctan2(w[:, 1], w[:, 0]) / (2 * np.pi)) % 1
strength = 0.15 + 0.6 * np.clip(steep / np.quantile(steep, 0.9), 0, 1)
colours = hsv_to_rgb(np.stack([hue, strength, np.full(len(hue), 0.95)], axis=-1))
pieces = axes.flat[3]
pieces.imshow(colours.reshape(*grid, 3), **window)
borders = piece.reshape(grid)
edge = (np.diff(borders, axis=0, prepend=borders[:1]) != 0) | (np.diff(borders, axis=1, prepend=borders[:, :1]) != 0)
pieces.contourf(across, up, edge, levels=[0.5, 1], colors=["white"])
pieces.contour(across, up, probability.reshape(grid), levels=[0.5], colors="black")
pieces.set_title(f"Its {piece.max() + 1} linear pieces: colour is the direction of w")
figure.savefig("straight_line_bent.png")
