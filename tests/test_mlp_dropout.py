"""Dropout as users see it: how many units are dropped, and how the others are scaled. Observed by a custom activation."""

import numpy as np
import pytest
from helpers import few_epochs

from pyrelu import MLPClassifier, MLPRegressor

pytestmark = few_epochs
N = 100  # features, and units of each layer


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dropout", [0.1, 0.4, (0.3, 0.0, 0.0), (0.2, 0.5, 0.1)], ids=str)
def test_share_and_size(estimator, dtype, dropout):
    seen = []

    def activation(z):
        seen.append(z.copy())
        return z

    X = np.ones((200, N), dtype)
    mlp = estimator(
        hidden_layer_sizes=(N, N),
        activation=(activation, np.ones_like),
        dropout=dropout,
        init=lambda shape, _: np.eye(*shape),  # what the first layer sees is the input, the second the first's outputs
        learning_rate_init=1e-30,
        alpha=0,
        batch_size=50,
        max_iter=3,
        random_state=0,
        n_threads=1,
    )
    mlp.fit(X, np.resize([0, 1], 200))
    layers = [z for z in seen if z.dtype == dtype][: 2 * 3 * 4]  # of training: two layers, three epochs, four batches
    inputs, hidden = np.concatenate(layers[::2]), np.concatenate(layers[1::2])
    of_input, of_hidden, *_ = (0.0, dropout) if np.isscalar(dropout) else dropout
    for z, parts in ((inputs, (of_input,)), (hidden, (of_input, of_hidden))):
        kept = np.prod([1 - p for p in parts])
        dropped = abs(z) < 1e-6  # the steps, however small, have moved the weights
        share, deviation = np.mean(dropped), np.sqrt(kept * (1 - kept) / z.size)
        assert abs(share - (1 - kept)) <= 5 * deviation
        np.testing.assert_allclose(z[~dropped], 1 / kept, rtol=1e-6)
    seen.clear()
    mlp.predict(X)
    np.testing.assert_allclose(np.concatenate(seen), 1, rtol=1e-6)  # predictions drop nothing


@pytest.mark.parametrize(
    "schedule",
    ["flat_cos", "cosine", lambda epoch: [1.0, 0.0, 0.25, 0.5][epoch]],
    ids=["flat_cos", "cosine", "function"],
)
def test_schedule_of_the_share(schedule):
    """In each epoch, of the inputs and of the units."""
    seen = []

    def activation(z):
        seen.append(z.copy())
        return z

    X = np.ones((200, N))
    MLPRegressor(
        hidden_layer_sizes=(N, N), activation=(activation, np.ones_like), dropout=(0.4, 0.4, 0.0),
        dropout_schedule=schedule, init=lambda shape, _: np.eye(*shape), learning_rate_init=1e-30, alpha=0, batch_size=200,
        max_iter=4, random_state=0, n_threads=1,
    ).fit(X, X[:, 0])  # fmt: skip
    for epoch in range(4):
        inputs, hidden = seen[2 * epoch : 2 * epoch + 2]
        factor = {
            "flat_cos": [1, 1, (1 + np.cos(np.pi / 4)) / 2, (1 + np.cos(3 * np.pi / 4)) / 2],
            "cosine": [(1 + np.cos(np.pi * k / 4)) / 2 for k in range(4)],
        }.get(schedule if isinstance(schedule, str) else None, [1.0, 0.0, 0.25, 0.5])[epoch]
        for z, kept in ((inputs, 1 - 0.4 * factor), (hidden, (1 - 0.4 * factor) ** 2)):
            dropped = abs(z) < 1e-6
            assert abs(dropped.mean() - (1 - kept)) <= 5 * np.sqrt(kept * (1 - kept) / z.size)
            np.testing.assert_allclose(z[~dropped], 1 / kept, rtol=1e-6)
