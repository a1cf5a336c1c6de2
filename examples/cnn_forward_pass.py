"""
A CNN's forward pass: filters that never saw a label help
=========================================================

Convolution, relu, pooling, the same again, a fully connected layer, softmax: what a convolutional network computes for
the 8 x 8 digits, with SciPy for the convolutions and pyrelu for the rest.
"""

# %%
# The filters
# -----------
# pyrelu does not train convolutions, so these filters never see a label. They are drawn at random, or learned from the images as
# Coates and Ng do (Learning feature representations with k-means, 2012): the centres of k-means on whitened patches.
# Only the last layer, softmax, is trained. That random filters do almost as well as learned ones was claimed by
# others (Saxe et al., On random weights and unsupervised feature learning, ICML 2011).

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import correlate2d
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pyrelu as pr
from pyrelu._examples.support import compare, use_style

use_style()

SIZE, FIRST, SECOND = 3, 16, 64  # of a filter; how many filters
SEEDS = range(5)  # quick: range(1)


def patches(images):
    """Return the SIZE x SIZE patch around each pixel of images of shape (n, height, width, channels), 0 outside."""
    padded = np.pad(images, ((0, 0), (SIZE // 2, SIZE // 2), (SIZE // 2, SIZE // 2), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, (SIZE, SIZE), axis=(1, 2))


def convolve(images, filters):
    """Return images under filters of shape (k, channels, SIZE, SIZE)."""
    return np.tensordot(patches(images), filters, axes=([3, 4, 5], [1, 2, 3]))


def pool(images):
    """Return the largest of each 2 x 2 pixels: a maxout of the four."""
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 5, 2, 4)
    return pr.maxout(blocks.reshape(n, height // 2, width // 2, -1), num_pieces=4)


def learned(images, k, seed):
    """Return k filters: the centres of k-means on the images' whitened patches."""
    flat = patches(images).reshape(-1, images.shape[-1] * SIZE**2)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = np.random.default_rng(seed).permutation(flat[np.linalg.norm(flat, axis=1) > 0.5])[:10_000]
    variances, directions = np.linalg.eigh(flat.T @ flat / len(flat))
    whiten = directions / np.sqrt(variances + 0.01 * variances.max()) @ directions.T
    flat = flat @ whiten
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    centres = KMeans(k, n_init=1, random_state=seed).fit(flat).cluster_centers_
    return normed(centres @ whiten, images.shape[-1])


def drawn(images, k, seed):
    """Return k random filters, each of mean 0 and norm 1."""
    return normed(np.random.default_rng(seed).standard_normal((k, images.shape[-1] * SIZE**2)), images.shape[-1])


def normed(filters, channels):
    filters = filters - filters.mean(axis=1, keepdims=True)
    return (filters / np.linalg.norm(filters, axis=1, keepdims=True)).reshape(-1, channels, SIZE, SIZE)


# %%
# The network
# -----------


def forward(images, first, second):
    """Return what each stage gives: conv, relu, pool, conv, relu, pool."""
    stages = [convolve(images, first)]
    stages.append(pr.relu(stages[-1]))
    stages.append(pool(stages[-1]))
    stages.append(convolve(stages[-1], second))
    stages.append(pr.relu(stages[-1]))
    stages.append(pool(stages[-1]))
    return stages


X, y = load_digits(return_X_y=True)
images = (X / 16).reshape(-1, 8, 8, 1)
edge = drawn(images, 1, seed=0)
by_scipy = correlate2d(images[0, ..., 0], edge[0, 0], mode="same")
assert np.allclose(convolve(images[:1], edge)[0, ..., 0], by_scipy, atol=1e-12)

softmax_layer = dict(hidden_layer_sizes=(), alpha=3.0, solver="lbfgs", max_iter=2000, random_state=0)
scores = {"softmax on the pixels": [], "random filters": [], "filters of k-means": []}
for seed in SEEDS:
    train, test, y_train, y_test = train_test_split(images, y, random_state=seed, stratify=y)
    features = {"softmax on the pixels": (train, test)}
    for name, choose in (("random filters", drawn), ("filters of k-means", learned)):
        first = choose(train, FIRST, seed)
        second = choose(pool(pr.relu(convolve(train, first))), SECOND, seed)
        features[name] = forward(train, first, second)[-1], forward(test, first, second)[-1]
    for name, (seen, unseen) in features.items():
        last = make_pipeline(StandardScaler(), pr.MLPClassifier(**softmax_layer))
        last.fit(seen.reshape(len(seen), -1), y_train)
        scores[name].append(last.score(unseen.reshape(len(unseen), -1), y_test))
print(f"test accuracy, mean and standard deviation over {len(SEEDS)} splits")
claims = ("least", "almost the best", "the best")
compare([(name, claim, f"{np.mean(s):.2%} +- {np.std(s):.2%}") for (name, s), claim in zip(scores.items(), claims)])

# %%
# The last network once more, by hand: the fully connected layer and softmax are one product and ``pr.softmax``.

stages = forward(test, first, second)
scaler, softmax = last
logits = scaler.transform(stages[-1].reshape(len(test), -1)) @ softmax.coefs_[0] + softmax.intercepts_[0]
probabilities = pr.softmax(logits)
gap = np.abs(probabilities - last.predict_proba(stages[-1].reshape(len(test), -1))).max()
print("shapes:", " -> ".join(str(stage.shape[1:]) for stage in [test, *stages]), "->", probabilities.shape[1:])
print(f"largest difference between pr.softmax(logits) and predict_proba: {gap:.1e}")
assert gap < 1e-12

# %%
# What came out: two layers of filters that never saw a label improve a linear classifier. Where the filters come from
# matters less than the spread between splits. The figure shows one digit on its way through the network.

SHOWN = 6
one = np.flatnonzero(y_test == 3)[0]
names = ["conv", "relu", "pool", "conv", "relu", "pool"]
shown = [("filter\n3 x 3", first[:, 0].transpose(1, 2, 0))]
shown += [(f"{name}\n{s.shape[1]} x {s.shape[2]}", s[one]) for name, s in zip(names, stages)]
busiest = [np.argsort(-stages[i][one].sum(axis=(0, 1)))[:SHOWN] for i in (1, 4)]  # channels of the two layers
figure = plt.figure(figsize=(10, 7))
figure.suptitle(
    "Six channels of either layer: orange is negative, purple positive; relu drops the negative", fontsize=11
)
ends, middle = figure.subfigures(1, 2, width_ratios=[1, 4])
digit, answer = ends.subplots(2, 1, height_ratios=[1, 1.3])
digit.imshow(test[one, ..., 0], cmap="gray_r")
digit.set_axis_off()
digit.set_title("digit\n8 x 8", loc="center", fontsize=10)
answer.barh([str(i) for i in range(10)], probabilities[one], color=["#5e3c99" if i == 3 else "0.6" for i in range(10)])
answer.set(xlabel="probability", xlim=(0, 1), xticks=[0, 1])
answer.set_title("softmax of the\nfully connected layer", loc="center", fontsize=10)
answer.invert_yaxis()
axes = middle.subplots(SHOWN, len(shown), width_ratios=[0.7, 1, 1, 1, 1, 1, 1])
for column, (title, maps) in enumerate(shown):
    limit = np.abs(maps).max()
    for row, channel in enumerate(busiest[column > 3]):
        axes[row, column].imshow(maps[..., channel], cmap="PuOr", vmin=-limit, vmax=limit)
        axes[row, column].set_axis_off()
    axes[0, column].set_title(title, loc="center", fontsize=10)
figure.suptitle(
    "Six channels of either layer: orange is negative, purple positive; relu drops the negative", fontsize=11
)
figure.savefig("cnn_forward_pass.png")
