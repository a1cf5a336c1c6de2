"""The training loop that PyTorch's users write."""

from itertools import pairwise

import torch
from torch import nn


def fit(X, y, layers, batch, epochs, activation):
    """Fit a network with Adam.

    Parameters
    ----------
    X, y : ndarray
        Rows (a multiple of `batch`), and the class of each.
    layers : list of int
        Sizes of the layers, input and output included.
    batch, epochs : int
        Rows of a step; how often all rows are seen.
    activation : callable
        Of the hidden layers.
    """
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    linear = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise(layers))
    optimiser = torch.optim.Adam(linear.parameters(), lr=0.001)
    cross_entropy = nn.CrossEntropyLoss()
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(X)).split(batch):
            hidden = X[rows]
            for layer in linear[:-1]:
                hidden = activation(layer(hidden))
            loss = cross_entropy(linear[-1](hidden), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
