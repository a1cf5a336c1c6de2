from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pyrelu._mlp.activation import HiddenActivation
from pyrelu._mlp.embedding import InputEmbedding
from pyrelu._mlp.losses import OutputLoss
from pyrelu._mlp.optimizers import Optimizer
from pyrelu._samples import Samples
from pyrelu._typing import Floats, Indices

MAX_EMBEDDING_SIZE: int
MAX_MEMBERS: int
WHOLE_SUM: int
EMBEDDINGS: Mapping[str, int]
LOSSES: Mapping[str, int]
SOLVERS: Mapping[str, int]
OPTIMIZER_ATTRIBUTES: tuple[str, ...]
TRANSFORMS: Mapping[str, int]

class Epoch(NamedTuple):
    loss: float
    gradient_norm: float
    alive: NDArray[np.bool_]
    bounds: NDArray[np.float64] | None = None

class DefaultFloatingPoint:
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

class Network:
    dtype: np.dtype[np.floating[Any]]
    n_hidden_units: int
    n_outputs: int
    n_members: int
    draws: bool
    weights: list[Floats]
    biases: list[Floats]
    slopes: list[Floats | None]
    activations: list[HiddenActivation]
    embedding_of_inputs: InputEmbedding | None
    n_threads: int | None
    parameters: Floats
    def __init__(
        self,
        weights: Sequence[Floats],
        biases: Sequence[Floats],
        activations: Sequence[HiddenActivation],
        output: int | None,
        loss: str | OutputLoss | None,
        slopes: Sequence[Floats | None] = (),
        parameters: Floats | None = None,
        dropout: Sequence[float] = (),
        label_smoothing: float = 0.0,
        n_threads: int | None = None,
        embedding: InputEmbedding | None = None,
        rate_factors: Sequence[float] = (),
        adapters: Sequence[Floats] = (),
    ) -> None: ...
    @property
    def n_features(self) -> int: ...
    def losses(self, targets: Floats, outputs: Floats) -> tuple[Floats, Floats]: ...
    def predict(self, samples: Samples, order: Indices | None = None) -> Floats: ...
    def find_alive(self, samples: Samples, order: Indices | None = None) -> NDArray[np.bool_]: ...
    def train(
        self,
        samples: Samples,
        order: Indices | None,
        batch_size: int,
        optimizer: Optimizer,
        ranges: Floats | None = None,
    ) -> Epoch: ...
    def step(self, gradient: Floats, weight: float, optimizer: Optimizer) -> tuple[float, float]: ...
