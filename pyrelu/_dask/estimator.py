"""What both estimators of pyrelu.dask do: fits and predictions over partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import dask.array as da
import numpy as np
from dask.delayed import delayed
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from pyrelu._dask import collections, tasks
from pyrelu._dask.rows import Graphs, PartitionedValidation, Partitions, client_of
from pyrelu._mlp.callback_support import NO_CALLBACKS, NoCallbacks
from pyrelu._mlp.constraints import check, one_of
from pyrelu._mlp.display import choose as choose_display
from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.objective import Objective, begin
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.sample_weight import balanced
from pyrelu._mlp.validation import Validation
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from distributed import Client

    from pyrelu._dask.collections import Futures, Triple

Moments = tuple[Any, float]  # the sum of weighted targets, and of the weights

OWN = ("client", "sync")  # the parameters that the plain estimator has not


class Distributed(BaseEstimator):
    """A mixin before the plain estimator, which it calls `_plain`; a subclass has `_fit`, which trains on partitions."""

    client: Client | None
    sync: str
    _plain: type[Any]
    _doc_page = "api.html#{estimator_module}.{estimator_name}"

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: tuple[Any, ...] | None = None) -> Self:
        """Train on the partitions of X and y, where the workers hold them.

        Parameters
        ----------
        X : dask array, dask DataFrame or list of Delayed
            The features, in partitions of rows.
        y : dask array, DataFrame or Series, or list of Delayed
            The targets, in as many partitions, which correspond to those of X.
        sample_weight : dask array or Series, or list of Delayed, default=None
            Weights of the rows in the loss; None: all 1.
        eval_set : tuple of (X, y) or (X, y, sample_weight), default=None
            Validation data, in partitions or in memory, scored after each epoch. `scoring` takes rows in memory.

        Returns
        -------
        DaskMLPClassifier or DaskMLPRegressor
            The estimator itself. If fitting fails, it stays unchanged.
        """
        fitted: Self = super().fit(X, y, sample_weight, eval_set=eval_set)
        return fitted

    @available_if(lambda self: False)
    def partial_fit(self) -> None:
        """Not available."""

    def to_local(self) -> Any:
        """Return the plain estimator, with the same parameters and fitted attributes.

        Returns
        -------
        MLPClassifier or MLPRegressor
        """
        plain = object.__new__(self._plain)
        vars(plain).update({name: value for name, value in vars(self).items() if name not in OWN})
        return plain

    def __sklearn_clone__(self) -> Self:
        parameters = {
            name: clone(value, safe=False) for name, value in self.get_params(deep=False).items() if name != "client"
        }
        twin = type(self)(**parameters, client=self.client)
        if getattr(self, "_skl_callbacks", None):
            twin.set_callbacks(*self._skl_callbacks)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return state | {"client": None}  # a connection of this process

    # ---- predictions ----

    def _lazily(self, method: str, X: Any) -> Any:
        """Return what a method of the plain estimator gives: for partitions of X, as one dask array."""
        function = getattr(self.to_local(), method)
        if not collections.is_distributed(X):
            return function(X)
        check_is_fitted(self)
        if getattr(X, "ndim", 2) != 2:
            raise ValueError(f"X must have two dimensions, got {X.ndim}")
        example = function(self._example())
        parts = collections.partitions(X, "X")
        rows = collections.known_rows(X) or [np.nan] * len(parts)
        of_rows = delayed(function, pure=False)
        arrays = [
            da.from_delayed(of_rows(part), (n, *example.shape[1:]), meta=example[:0])
            for part, n in zip(parts, rows, strict=True)
        ]
        return da.concatenate(arrays, allow_unknown_chunksizes=True)

    def _example(self) -> Any:
        """Return a row that the estimator takes, for the type of what it gives."""
        row = np.zeros((1, self.n_features_in_), self.coefs_[0].dtype)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            return row
        import pandas as pd

        return pd.DataFrame(row, columns=names)

    def _levels(self) -> tuple[float, ...] | None:
        """Return the levels of a loss with several outputs, or None."""
        levels: tuple[float, ...] | None = self._output_loss().levels
        return levels

    def predict(self, X: Any) -> Any:
        """Return the predictions.

        Parameters
        ----------
        X : dask array, dask DataFrame, list of Delayed, or array-like in memory
            The features.

        Returns
        -------
        dask array of shape (n_samples,) or (n_samples, n_outputs)
            Lazy; in memory where X is.
        """
        return self._lazily("predict", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Return the accuracy of a classifier, or R2 of a regressor.

        Parameters
        ----------
        X : dask array, dask DataFrame, list of Delayed, or array-like in memory
            The features.
        y : dask array, DataFrame or Series, list of Delayed, or array-like in memory
            The targets.
        sample_weight : the same kinds, default=None
            Weights of the rows; None: all 1.

        Returns
        -------
        dask array of shape (), or float
            Lazy, ``float(...)`` computes it; a float where X is in memory.
        """
        if not collections.is_distributed(X):
            return super().score(X, y, sample_weight)
        check_is_fitted(self)
        local = self.to_local()
        _check_sums(self, "score")
        triples = collections.triples(X, y, sample_weight)
        classifies = is_classifier(local)
        mean = None
        if not classifies:
            mean = delayed(_mean)([delayed(_moments)(y, weights) for _, y, weights in triples])
        scores = [delayed(_score)(local, *triple, mean) for triple in triples]
        return da.from_delayed(delayed(_total_score)(scores, classifies), (), meta=np.empty((), float))


class DistributedPerceptron(Distributed):
    """A mixin before a plain network."""

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        eval_set: tuple[Any, ...] | None = None,
        callbacks: NoCallbacks = NO_CALLBACKS,
        incremental: bool = False,
    ) -> None:
        check(self, "sync", self.sync, one_of("step", "epoch"))
        given = collections.triples(X, y, sample_weight)
        partitioned = _eval_partitions(self, eval_set)
        client = client_of(self.client)
        triples = computed(client, given)
        classes = class_weight = None
        if is_classifier(self):
            counts = _labels(client, triples)
            classes = None if counts is None else sorted(counts)
            if self.class_weight == "balanced":
                if counts is None:
                    raise ValueError(
                        "class_weight='balanced' is not for indicator matrices in partitions; give a list of dicts"
                    )
                class_weight = balanced(counts)
        network, random_state = self._begin_in_parts(client, triples, classes, class_weight)
        local = self.to_local()
        local.n_threads = self.n_threads or 1  # a worker runs as many tasks at a time as it has threads
        objective = Objective.of_fit(local, network, class_weight)
        holds_out = self.early_stopping and eval_set is None and self.solver in STOCHASTIC
        if holds_out and self.scoring is not None:
            raise _scoring_error(self)
        fraction = self.validation_fraction if holds_out else 0.0
        seed = int(random_state.randint(2**63, dtype=np.uint64)) if holds_out else 0
        rows = Partitions(client, objective, triples, fraction, seed, sync=self.sync)
        if rows.n_training == 0:
            raise ValueError("the partitions have no rows to train on")
        validation: PartitionedValidation | Validation | None = None
        if holds_out:
            if rows.sizes[:, 1].sum() < 2:
                raise ValueError(
                    "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
                )
            validation = PartitionedValidation(rows, self)
        elif partitioned:
            validation = PartitionedValidation(_scored(client, local, network, partitioned), self)
        elif eval_set is not None:
            data = self._validate_eval_set(eval_set, network.parameters.dtype)
            validation = Validation(self, Samples(*data), data)
        display = choose_display(self.verbose, self.max_iter)
        order = np.empty(0, np.intp)
        nothing: Any = None  # as rows are on the workers
        state = FitState(
            self, network, nothing, nothing, order, validation, callbacks, display, random_state, rows=rows
        )
        self._train(state)

    def _begin_in_parts(
        self,
        client: Client,
        triples: Sequence[Futures],
        classes: Sequence[Any] | None,
        class_weight: dict[Any, float] | None,
    ) -> tuple[Network, np.random.RandomState]:
        """Check the parameters and draw the first weights; return Network and RandomState."""
        X, y = _head(client, triples)
        begun: tuple[Network, np.random.RandomState] = begin(self, X, y, classes, class_weight)
        return begun


def _check_sums(mlp: Distributed, what: str) -> None:
    """Raise ValueError where a score is no sum over rows."""
    if not is_classifier(mlp) and mlp._levels() is not None:
        raise ValueError(
            f"{what}: the score for several levels of 'quantile' needs the quantiles of all targets, and is not computed "
            "over partitions; pass rows in memory"
        )


def _scoring_error(mlp: Distributed) -> InvalidParameterError:
    return InvalidParameterError(
        f"scoring={mlp.scoring!r} needs rows in memory: pass fit an eval_set of NumPy arrays, or scoring=None"
    )


def _eval_partitions(mlp: Distributed, eval_set: object) -> list[Triple] | None:
    """Return the partitions of the user's validation data, or None where it is in memory."""
    if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3) or not collections.is_distributed(eval_set[0]):
        return None
    if mlp.scoring is not None:
        raise _scoring_error(mlp)
    _check_sums(mlp, "eval_set")
    X, y, weights = (*eval_set, None)[:3]
    return collections.triples(X, y, weights, what="eval_set: ")


def _scored(client: Client, local: Any, network: Network, partitions: Sequence[Triple]) -> Graphs:
    """Return the Graphs of the user's validation data, which has its own weights alone, as in memory."""
    if is_classifier(local):
        local = local._shallow_copy()
        local.class_weight = None
    return Graphs(client, Objective.of_fit(local, network), computed(client, partitions), 1.0)


def computed(client: Client, triples: Sequence[Triple]) -> list[Futures]:
    """Return the same with Futures of our own, which a fit may release: each partition in the memory of a worker."""
    from distributed import Future

    flat: list[Any] = [part for triple in triples for part in triple]
    lazy = [i for i, part in enumerate(flat) if part is not None and not isinstance(part, Future)]
    flat = [Future(part.key, client) if isinstance(part, Future) else part for part in flat]
    for i, future in zip(lazy, client.compute([flat[i] for i in lazy]), strict=True):
        flat[i] = future
    return [(flat[i], flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)]


def _labels(client: Client, triples: Sequence[Futures]) -> dict[Any, int] | None:
    """Return how many rows each label has, or None for an indicator matrix."""
    total: dict[Any, int] = {}
    for counts in client.gather([client.submit(tasks.labels, y, pure=False) for _, y, _ in triples]):
        if counts is None:
            return None
        for label, count in counts.items():
            total[label] = total.get(label, 0) + count
    return total


def _head(client: Client, triples: Sequence[Futures]) -> tuple[Any, Any]:
    """Return the first row of X and of y."""
    for X, y, _ in triples:
        head: tuple[Any, Any] = client.submit(tasks.head, X, y, pure=False).result()
        if head[0].shape[0]:
            return head
    raise ValueError("the partitions have no rows to train on")


# ---- tasks of a score, on the estimator rather than on a fit ----


def _moments(y: Any, weights: Any) -> Moments:
    y = np.asarray(y, np.float64)
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    return weights @ y, weights.sum()


def _mean(moments: Sequence[Moments]) -> Any:
    return sum(total for total, _ in moments) / sum(weight for _, weight in moments)


def _score(local: Any, X: Any, y: Any, weights: Any, mean: Any) -> tasks.Score:
    if X.shape[0] == 0:
        return tasks.Score(0.0, 0.0, 0.0, True)
    weights = np.ones(X.shape[0]) if weights is None else np.asarray(weights, np.float64)
    total = float(weights.sum())
    if is_classifier(local):
        right = local.score(X, y, weights) * total if total else 0.0
        return tasks.Score(right, total, total, True)
    y, predicted = np.asarray(y, np.float64), np.asarray(local.predict(X), np.float64)
    return tasks.Score(weights @ (y - predicted.reshape(y.shape)) ** 2, weights @ (y - mean) ** 2, total, True)


def _total_score(scores: Sequence[tasks.Score], classifies: bool) -> np.float64:
    return np.float64(tasks.score_of(tasks.add(scores), classifies))
