"""`ensemble_size`: members that share the hidden layers' weights, and what each has of its own.

A member's hidden layer computes ``((x * r) @ W) * s + b`` with the shared weights W, `coefs_`, and its own factors r and s, a
rank-one adapter of W, and biases b (BatchEnsemble, arXiv:2002.06715). In the output layer, each has its own weights. As in
TabM (arXiv:2410.24210), members begin as one network but for their output layers and the factors of the first layer's
inputs, and each has its own loss, so that they stay different.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp.embedding import InputEmbedding
from pyrelu._typing import Floats
from pyrelu.exceptions import InvalidParameterError


def draw(
    n_members: int, shapes: Sequence[tuple[int, int]], embedding: InputEmbedding | None, rng: np.random.RandomState
) -> list[Floats]:
    """Return the factors of all hidden layers before training: of inputs, then of products, layer by layer.

    Those of the first layer's inputs are random signs or, where numbers are embedded, normal and the same for all inputs that
    a column becomes, as in the authors' package (tabm 0.0.3).

    Parameters
    ----------
    n_members : int
    shapes : list of (int, int)
        Of the weights of each hidden layer.
    embedding : InputEmbedding or None
    rng : numpy.random.RandomState
    """
    factors: list[Floats] = [np.ones((n_members, n)) for shape in shapes for n in shape]
    if embedding is None or embedding.kind is None:
        factors[0] = rng.choice([-1.0, 1.0], size=factors[0].shape)
    else:
        sizes = embedding.sizes
        factors[0] = np.repeat(rng.normal(size=(n_members, len(sizes))), sizes, axis=1)
    return factors


def check(mlp: Any) -> None:
    """Raise InvalidParameterError where there is nothing that members could share."""
    if mlp.ensemble_size > 1 and not mlp._hidden_units():
        raise InvalidParameterError(
            f"ensemble_size={mlp.ensemble_size} needs hidden layers, whose weights the members share; "
            f"hidden_layer_sizes={mlp.hidden_layer_sizes!r} has none"
        )


def refuse(mlp: Any, what: str) -> None:
    """Raise ValueError where an estimator is an ensemble; `what` says who cannot take one."""
    if getattr(mlp, "adapters_", None):
        raise ValueError(
            f"{what} an ensemble of networks as one (ensemble_size={len(mlp.adapters_[0])}); take one of its members()"
        )


def weights_of(
    coefs: list[Floats], intercepts: list[Floats], adapters: list[Floats], member: int
) -> tuple[list[Floats], list[Floats]]:
    """Return the weights and biases that a member has in effect, as those of a network of its own.

    Parameters
    ----------
    coefs, intercepts, adapters : list of ndarray
    member : int
    """
    n_members, n_hidden = len(adapters[0]), len(coefs) - 1
    own: list[Floats] = [
        adapters[2 * i][member][:, np.newaxis] * coefs[i] * adapters[2 * i + 1][member] for i in range(n_hidden)
    ]
    own.append(np.split(coefs[-1], n_members, axis=1)[member].copy())
    return own, [np.split(biases, n_members)[member].copy() for biases in intercepts]


class SharesWeights:
    """A mixin for estimators: the members of a fitted ensemble as networks of their own."""

    _arrays: Any  # methods of BasePerceptron
    _shallow_copy: Any

    def members(self) -> list[Self]:
        """Return the members of an ensemble as estimators of their own, each with the weights that it has in effect.

        They are what `pyrelu.inspection`, `pyrelu.plot` and the conversions take in place of the ensemble.

        Returns
        -------
        list of MLPClassifier or MLPRegressor
            With ``ensemble_size=1``. The mean of their outputs is the ensemble's. Where this is no ensemble, a copy of it is
            the only one.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from pyrelu import MLPRegressor
        >>> X, y = np.random.default_rng(0).normal(size=(2, 100, 3))
        >>> mlp = MLPRegressor(ensemble_size=8, random_state=0, tol=1).fit(X, y)
        >>> np.allclose(np.mean([one.predict(X) for one in mlp.members()], axis=0), mlp.predict(X))
        True
        """
        check_is_fitted(self)
        coefs, intercepts, _, adapters, _ = self._arrays()
        members = []
        for member in range(len(adapters[0]) if adapters else 1):
            one = self._shallow_copy().set_params(ensemble_size=1)
            for name in ("adapters_", "_optimizer", "_fit_state"):
                vars(one).pop(name, None)
            if adapters:
                one.coefs_, one.intercepts_ = weights_of(coefs, intercepts, adapters, member)
            members.append(one)
        return members
