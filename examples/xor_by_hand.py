"""
XOR by hand: thirty units of relu learn it
==========================================

XOR is the smallest problem that no straight line solves. Here a network of 30 relu units learns it, with the gradient
worked out step by step from ``pr.relu``, ``pr.vjp.relu`` and NumPy. Then the estimator computes the same gradient.
"""

# %%
# The network: two inputs, 30 hidden units, one output, no biases; the loss is the sum of the squared errors.

import matplotlib.pyplot as plt
import numpy as np

import pyrelu as pr
from pyrelu._examples.support import GREY, compare, use_style

use_style()

N, D_in, H, D_out = 4, 2, 30, 1
rate, steps = 0.002, 200
x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])


def train(seed):
    """Return the weights after the last step, and the loss and both layers' gradients before each."""
    rng = np.random.default_rng(seed)
    w1, w2 = rng.standard_normal((D_in, H)), rng.standard_normal((H, D_out))
    losses, gradients = [], []
    for _ in range(steps):
        z = x @ w1  # forward
        h = pr.relu(z)
        y_pred = h @ w2
        losses.append(np.square(y_pred - y).sum())

        grad_y_pred = 2 * (y_pred - y)  # and backward, line by line
        grad_w2 = h.T @ grad_y_pred
        grad_h = grad_y_pred @ w2.T
        grad_z = pr.vjp.relu(z, grad_h)
        grad_w1 = x.T @ grad_z
        gradients.append((grad_w1, grad_w2))

        w1 -= rate * grad_w1
        w2 -= rate * grad_w2
    return w1, w2, losses, gradients


w1, w2, losses, gradients = train(seed=0)
for step in (0, 1, 10, 50, 100, 199):
    norm = np.linalg.norm(np.concatenate(gradients[step], axis=None))
    print(f"step {step:3d}  loss {losses[step]:9.2e}  |gradient| {norm:8.2e}")
answers = (pr.relu(x @ w1) @ w2).ravel()
print("answers:", ", ".join(f"{a:.0f} xor {b:.0f} = {answer:.3f}" for (a, b), answer in zip(x, answers)))

# %%
# Is the gradient right? Central differences of the loss confirm it for each of the 90 weights.


def loss(w1, w2):
    return np.square(pr.relu(x @ w1) @ w2 - y).sum()


def difference_quotients(weights, h=1e-6):
    """Return the loss's central differences in each element of one of the arrays, which is moved in place."""
    quotients = np.empty(weights.shape)
    for i, weight in np.ndenumerate(weights):
        weights[i] = weight + h
        above = loss(*start)
        weights[i] = weight - h
        quotients[i] = (above - loss(*start)) / (2 * h)
        weights[i] = weight
    return quotients


rng = np.random.default_rng(0)
start = rng.standard_normal((D_in, H)), rng.standard_normal((H, D_out))
gap = max(np.abs(difference_quotients(w) - g).max() for w, g in zip(start, gradients[0]))
print(f"largest difference between the gradient and the difference quotients: {gap:.1e}")
assert gap < 1e-6

# %%
# The estimator's gradient
# ------------------------
# One step of plain SGD moves the weights by ``-rate * gradient``; so the change of the estimator's
# weights shows its gradient. Its loss is half the mean of the squares and ours is their sum: a factor of 2 N = 8.

settings = dict(solver="sgd", momentum=0, learning_rate_init=rate, batch_size=N, alpha=0, init="he_normal")
network = pr.MLPRegressor(hidden_layer_sizes=(H,), random_state=0, **settings)
network.partial_fit(x, y.ravel())  # draws weights, and zeros for the biases; ours take their place
for theirs, ours in zip(network.coefs_, start):
    theirs[:] = ours
for bias in network.intercepts_:
    bias[:] = 0
network.partial_fit(x, y.ravel())
for name, after, before, by_hand in zip(("first", "second"), network.coefs_, start, gradients[0]):
    gap = np.abs((before - after) / rate * 2 * N - by_hand).max()
    print(f"{name} layer: largest difference between the estimator's gradient and the one by hand: {gap:.1e}")
    assert gap < 1e-9

# %%
# At x = 0
# --------
# relu has no derivative at 0: the slope is 0 on the left and 1 on the right, and any number between them is a
# subgradient. pyrelu uses 0, as the frameworks do. An input of exactly 0 may seem unlikely, but here it occurs in
# every step: without biases, the input (0, 0) puts all 30 units at 0. This does no harm, because the gradient of their
# weights is multiplied by the input, which is 0 too. With any other slope the run is the same:

z = x @ start[0]
print(
    f"{(z == 0).sum()} of {z.size} inputs of the units are exactly 0; derivative.relu(0) = {pr.derivative.relu(0.0):g}"
)
grad_h = 2 * (pr.relu(z) @ start[1] - y) @ start[1].T
for slope in (0, 0.5, 1):
    grad_w1 = x.T @ (grad_h * np.where(z == 0, slope, pr.derivative.relu(z)))
    print(f"slope {slope:3} at 0: gradient changed by {np.abs(grad_w1 - gradients[0][0]).max():g}")

# %%
# Does it always work?
# --------------------
# The same 200 steps from other random weights.

SEEDS = range(500)  # quick: range(3)
curves, solved = [], []
for seed in SEEDS:
    *weights, seed_losses, _ = train(seed)
    curves.append(seed_losses)
    solved.append(np.abs(pr.relu(x @ weights[0]) @ weights[1] - y).max() < 0.5)
final = np.array(curves)[:, -1]
compare(
    [
        ("XOR, 2-30-1 relu, 200 steps of 0.002", "learned", f"{np.mean(solved):.1%} of {len(SEEDS)} starts"),
        ("loss after them, median and worst", "", f"{np.median(final):.1e}, {final.max():.1e}"),
    ]
)

# %%
# The figure shows the loss of all these runs, and the function that the first of them learned. It consists of flat pieces
# with creases where a unit turns on. One colour scale serves the surface and the targets: a dot that matches its
# surroundings is right.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2))
low, median, high = np.quantile(curves, (0.05, 0.5, 0.95), axis=0)
left.fill_between(range(steps), low, high, color="0.9", linewidth=0)
left.plot(median, color=GREY)
left.plot(losses, color="black", linewidth=1)
left.text(150, median[150] * 3, "median of all starts", color="0.45")
left.text(95, high[95] * 3, "9 of 10 starts stay in here", color="0.45")
left.text(130, losses[130] / 40, "the run above", ha="right")
left.set(title="Sum of squared errors", xlabel="step", yscale="log", ylim=(1e-9, 1e3))

ticks = np.linspace(-0.5, 1.5, 201)
plane = np.stack(np.meshgrid(ticks, ticks), axis=-1)
learned = (pr.relu(plane @ w1) @ w2)[..., 0]
filled = right.contourf(ticks, ticks, learned, levels=np.linspace(-1, 2, 13), cmap="PuOr_r", extend="both")
right.contour(ticks, ticks, learned, levels=[0.5], colors="black", linewidths=1)
beside = {"textcoords": "offset points", "bbox": {"color": "white", "alpha": 0.75, "pad": 1}}
for corner, target, answer in zip(x, y.ravel(), answers):
    right.plot(*corner, "o", markersize=10, markeredgecolor="black", color=filled.cmap(filled.norm(target)))
    right.annotate(f"target {target:.0f}\noutput {answer + 0:.2f}", corner, xytext=(10, 8), **beside)
right.set(title="What the network computes", xlabel="a", ylabel="b", aspect="equal", xticks=[0, 1], yticks=[0, 1])
right.spines[["left", "bottom"]].set_visible(False)
figure.colorbar(filled, ax=right, label="output; dots: target; line: 1/2", shrink=0.85)
figure.savefig("xor_by_hand.png")
