"""The network of an estimator: its first weights, the arrays that its attributes are, and its outputs."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from pyrelu import registry
from pyrelu._memory import on_lines
from pyrelu._mlp import embedding as embeddings
from pyrelu._mlp import initializers, members
from pyrelu._mlp.activation import HiddenActivation, output_name, resolve_of
from pyrelu._mlp.embedding import InputEmbedding
from pyrelu._mlp.fit_state import ATTRIBUTES
from pyrelu._mlp.losses import OutputLoss
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.param_groups import rate_factors
from pyrelu._network import DefaultFloatingPoint, Network
from pyrelu._samples import Samples, is_finite_matrix
from pyrelu._typing import Floats, Rows

Arrays = tuple[list[Floats], list[Floats], list[Floats | None], list[Floats], list[NDArray[Any]]]


def pack(groups: Iterable[Sequence[Floats | None]], dtype: DTypeLike) -> tuple[Floats, list[list[Floats | None]]]:
    """Copy all arrays to one buffer; return it, and the groups with views of it in place of arrays (None stays)."""
    arrays = [array for group in groups for array in group if array is not None]
    (buffer,) = on_lines(1, sum(array.size for array in arrays), dtype)
    np.concatenate([array.ravel() for array in arrays], out=buffer, casting="same_kind")
    parts = iter(np.split(buffer, np.cumsum([array.size for array in arrays])))
    views = [[array if array is None else next(parts).reshape(array.shape) for array in group] for group in groups]
    return buffer, views


class HasNetwork:
    """A mixin for estimators: the network that their parameters and attributes describe."""

    hidden_layer_sizes: int | Sequence[int]  # the parameters that it depends on
    dropout: float | Sequence[float]
    solver: str
    init: initializers.Given
    ensemble_size: int
    n_threads: int | None
    label_smoothing: float
    coefs_: list[Floats]
    intercepts_: list[Floats]
    activation_weights_: list[Floats | None]
    adapters_: list[Floats]
    embedding_: InputEmbedding
    n_layers_: int
    n_outputs_: int
    out_activation_: str

    def _output_loss(self) -> OutputLoss:
        """Return the loss that the estimator's parameters specify."""
        raise NotImplementedError

    def _hidden_units(self) -> list[int]:
        sizes: Any = self.hidden_layer_sizes
        return [int(sizes)] if isinstance(sizes, Integral) else list(sizes)

    def _dropout(self, n_hidden: int) -> list[float]:
        """Return the probabilities of dropping an input, and a unit of each hidden layer."""
        dropout: Any = self.dropout
        per_layer = [0.0, *[float(dropout)] * n_hidden] if isinstance(dropout, Real) else list(dropout)
        if len(per_layer) != n_hidden + 1:
            raise ValueError(
                f"dropout={self.dropout!r} has {len(per_layer)} entries; the input and {n_hidden} hidden layers take "
                f"{n_hidden + 1}"
            )
        if any(per_layer) and self.solver not in STOCHASTIC:
            raise ValueError(
                f"dropout={self.dropout!r} cannot be combined with solver={self.solver!r}, which is deterministic"
            )
        return per_layer

    def _initialize(
        self, X: Any, hidden: list[int], activations: list[HiddenActivation], random_state: np.random.RandomState
    ) -> None:
        """Draw the initial weights, and remove the attributes of the fit before."""
        for name in (*ATTRIBUTES.values(), "dead_units_", "embedding_", "adapters_"):
            vars(self).pop(name, None)
        self.n_layers_ = len(hidden) + 2
        embedding = embeddings.draw(self, X, random_state)
        if embedding is not None:
            self.embedding_ = embedding
        n_inputs = X.shape[1] if embedding is None else embedding.n_outputs
        widths = [*(activation.width(n) for activation, n in zip(activations, hidden)), self.n_outputs_]
        shapes = list(zip([n_inputs, *hidden], widths, strict=True))
        self.activation_weights_ = [
            None if activation.initial_slope is None else np.full(n, activation.initial_slope)
            for activation, n in zip(activations, hidden)
        ]
        adapters: list[Floats] = []
        if self.ensemble_size > 1:
            adapters = self.adapters_ = members.draw(self.ensemble_size, shapes[:-1], embedding, random_state)
        self.coefs_, self.intercepts_ = initializers.draw_network(
            self.init, X, embedding, shapes, activations, self.activation_weights_, adapters, random_state
        )

    def _arrays(self) -> Arrays:
        """Return the weights, biases, slopes, adapters and the embedding's arrays. Slopes may be missing if set by hand."""
        slopes = getattr(self, "activation_weights_", [None] * (len(self.coefs_) - 1))
        adapters, embedding = getattr(self, "adapters_", []), getattr(self, "embedding_", None)
        of_embedding = [] if embedding is None else list(embedding.learned.values())
        return self.coefs_, self.intercepts_, slopes, adapters, of_embedding

    def _set_arrays(self, arrays: Sequence[list[Any]], dtype: DTypeLike) -> None:
        self.coefs_, self.intercepts_, self.activation_weights_, adapters, of_embedding = arrays
        if hasattr(self, "adapters_"):
            self.adapters_ = adapters
        if hasattr(self, "embedding_"):
            self.embedding_ = self.embedding_.replace(of_embedding, dtype)

    def _network_to_train(self, dtype: DTypeLike, dropout: Sequence[float]) -> Network:
        """Return a Network at these weights, of which `coefs_` and the other arrays become views."""
        parameters, arrays = pack(self._arrays(), dtype)
        self._set_arrays(arrays, dtype)
        return self._network(self._arrays(), parameters, dropout, self._output_loss())

    def _network(
        self,
        arrays: Sequence[list[Any]],
        parameters: Floats | None = None,
        dropout: Sequence[float] = (),
        loss: OutputLoss | None = None,
    ) -> Network:
        """Return the network of these arrays. For training, they must be views of `parameters`, and it needs a loss."""
        coefs, intercepts, slopes, adapters, of_embedding = arrays
        embedding = getattr(self, "embedding_", None)
        activations = resolve_of(self, len(coefs) - 1)
        if self.solver not in STOCHASTIC:
            activations = [activation.deterministic() for activation in activations]
        name = output_name(self.out_activation_)
        output = None if name == "softmax" else registry.find(name).index
        return Network(
            coefs,
            intercepts,
            activations,
            output,
            loss and loss.of(self.n_outputs_),
            slopes,
            parameters,
            dropout,
            self.label_smoothing,
            self.n_threads,
            embedding and embedding.replace(of_embedding, coefs[0].dtype),
            () if parameters is None else rate_factors(self, [len(coef) for coef in coefs]),
            adapters,
        )

    def _outputs(self, X: Rows) -> Floats:
        """Return the outputs of the output layer, one row per sample."""
        if "coefs_" not in vars(self) or hasattr(self, "__sklearn_is_fitted__"):
            check_is_fitted(self)
        with DefaultFloatingPoint():
            checked = self._validate_X(X)
            dtype: Any = np.float32 if np.result_type(checked.dtype, self.coefs_[0]) == np.float32 else np.float64
            arrays = [
                [array if array is None else np.ascontiguousarray(array, dtype) for array in group]
                for group in self._arrays()
            ]
            return self._network(arrays).predict(Samples(checked.astype(dtype, copy=False)))

    def _validate_X(self, X: Rows) -> Any:
        """Return X to predict, after scikit-learn's checks: by a look at it where they would find nothing.

        A look at one row takes 1 us, their checks 60 to 100. They say all that is to say about any X but the one here.
        """
        unnamed = getattr(self, "feature_names_in_", None) is None  # else they warn of an X without names
        if unnamed and is_finite_matrix(X, getattr(self, "n_features_in_", None)):
            return X
        return validate_data(self, X, accept_sparse="csr", order="C", reset=False)
