"""What both tabular estimators of pyrelu.dask do: a preprocessor and networks, fitted to partitions of a table."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from pyrelu._dask import collections, tables
from pyrelu._dask.estimator import Distributed, DistributedPerceptron, computed
from pyrelu._dask.rows import PartitionedValidation, client_of
from pyrelu._mlp import losses
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.constraints import check, one_of
from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.parameters import extends
from pyrelu._network import Network
from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular._allowed import CONSTRAINTS
from pyrelu.tabular._base import BaseTabularMLP
from pyrelu.tabular._ensemble import Data, Job, best_epoch, fit_network
from pyrelu.tabular._networks import NetworkClassifier, NetworkRegressor, TabularNetwork, Task
from pyrelu.tabular._preprocessing import TablePreprocessor

if TYPE_CHECKING:
    from distributed import Client

    from pyrelu._dask.collections import Futures, Triple

CALIBRATION = ("temperature_", "undoes_smoothing_")


class DistributedNetwork(DistributedPerceptron, TabularNetwork):
    """A mixin before a network of the tabular estimators, in a fit by `DistributedTabular`, which sets its `_task`."""

    def _begin_in_parts(
        self,
        client: Client,
        triples: Sequence[Futures],
        classes: Sequence[Any] | None,
        class_weight: dict[Any, float] | None,
    ) -> tuple[Network, np.random.RandomState]:
        random_state = tables.first_weights(client, self, triples, classes, class_weight, self._n_rows)
        dropout = self._dropout(len(self.coefs_) - 1)
        return self._network_to_train(self.coefs_[0].dtype, dropout), random_state

    def _train(self, state: FitState, incremental: bool = False) -> None:
        super()._train(state, incremental)
        if isinstance(state.validation, PartitionedValidation):
            self._validation = state.validation  # for the temperature


class DistributedNetworkClassifier(DistributedNetwork, NetworkClassifier):
    """A NetworkClassifier that is trained on partitions."""

    _plain = NetworkClassifier

    @extends(NetworkClassifier)
    def __init__(self, *, client: Client | None = None, sync: str = "step") -> None:
        self.client = client
        self.sync = sync


class DistributedNetworkRegressor(DistributedNetwork, NetworkRegressor):
    """A NetworkRegressor that is trained on partitions."""

    _plain = NetworkRegressor

    @extends(NetworkRegressor)
    def __init__(self, *, client: Client | None = None, sync: str = "step") -> None:
        self.client = client
        self.sync = sync


class DistributedTabular(Distributed, BaseTabularMLP):
    """A mixin before the plain estimator, which it calls `_plain`; its networks are of the class `_in_parts`."""

    def _fit(self, X: Any, y: Any, sample_weight: Any, eval_set: tuple[Any, ...] | None = None) -> None:
        check_parameters(self, CONSTRAINTS)
        check(self, "sync", self.sync, one_of("step", "epoch"))
        if self.cv is not None:
            raise InvalidParameterError(f"cv={self.cv!r} needs rows that can be counted; on partitions it must be None")
        parameters, refit = self._network_parameters()
        triples = collections.triples(X, y, sample_weight)
        scored = self._partitions_to_score(eval_set)
        client = client_of(self.client)
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)
        random_state = check_random_state(self.random_state)
        self.preprocessor_ = TablePreprocessor(
            categorical_features=self.categorical_features, max_one_hot=self.max_one_hot, numeric=self.numeric
        )
        numbered, n_rows = tables.with_rows(client, computed(client, triples))
        if not numbered:
            raise ValueError("the partitions have no rows to train on")
        tables.fit_preprocessor(client, self.preprocessor_, numbered)
        rows = tables.prepared(client, self, self.preprocessor_, numbered, n_rows)
        if scored is not None:
            numbered, n_scored = tables.with_rows(client, computed(client, scored))
            of_scored = tables.prepared(client, self, self.preprocessor_, numbered, n_scored)
            eval_set = of_scored[:2] if of_scored.sample_weight is None else of_scored[:3]
        elif eval_set is not None:
            eval_set = self._transform_eval_set(eval_set)
        if eval_set is not None and self.early_stopping is None:
            parameters["early_stopping"] = True
        self._train_networks(client, parameters, refit, rows, eval_set, random_state)
        self.n_features_in_ = self.preprocessor_.n_features_in_
        if hasattr(self.preprocessor_, "feature_names_in_"):
            self.feature_names_in_ = self.preprocessor_.feature_names_in_
        if is_classifier(self):
            self.classes_ = self.estimators_[0].classes_

    def _partitions_to_score(self, eval_set: Any) -> list[Triple] | None:
        """Return the partitions of `eval_set`, or None where it is in memory."""
        is_pair = isinstance(eval_set, tuple) and len(eval_set) in (2, 3)
        if not is_pair or not collections.is_distributed(eval_set[0]):
            return None
        X, y, weights = (*eval_set, None)[:3]
        return collections.triples(X, y, weights, what="eval_set: ")

    def _train_networks(
        self,
        client: Client,
        parameters: dict[str, Any],
        refit: bool,
        rows: tables.Prepared,
        eval_set: tuple[Any, ...] | None,
        random_state: np.random.RandomState,
    ) -> None:
        """Train the networks one after the other, each on all workers."""
        n_columns = self.preprocessor_.n_numeric_ + self.preprocessor_.n_one_hot_
        cardinalities = self.preprocessor_.cardinalities_
        parameters["numeric_features"] = list(range(self.preprocessor_.n_numeric_))
        parameters["categorical_features"] = list(range(n_columns, n_columns + len(cardinalities))) or None
        target = None
        if not is_classifier(self):
            target = tables.standards(client, self._network_class(**parameters), rows.y)
        holds_out = eval_set is None and parameters.get("early_stopping")
        n_training = rows.n_rows
        if holds_out:
            n_training -= int(n_training * parameters.get("validation_fraction", 0.1))
        seeds = random_state.randint(2**31, size=self.n_members).tolist()
        data = Data(rows.X, rows.y, rows.sample_weight, eval_set)
        self.estimators_ = []
        for i, seed in enumerate(seeds):
            network = self._in_parts(**parameters, random_state=seed, client=client, sync=self.sync)
            network.batch_size, network._n_rows = self._batch_size(max(n_training, 1)), rows.n_rows
            job = Job(network, None, i if self.n_members > 1 else None, self._batch_size(rows.n_rows))
            task = Task(None, threading.Event(), cardinalities=cardinalities, target=target)
            fit_network(self, job, network, task, data, eval_set)
            self._conclude_in_parts(network, vars(network).pop("_validation", None), eval_set)
            if refit and holds_out and not task.interrupted:
                again = network._shallow_copy().set_params(early_stopping=False, batch_size=job.refit)
                last = Task(None, task.interrupt, best_epoch(network), cardinalities=cardinalities, target=target)
                fit_network(self, job, again, last, data)
                task.interrupted = last.interrupted
                if not last.interrupted:
                    vars(again).update({name: vars(network)[name] for name in CALIBRATION if name in vars(network)})
                    network = again
            for name in ("_validation", "_n_rows"):
                vars(network).pop(name, None)
            self.estimators_.append(network.to_local())
            if task.interrupted:
                break

    def _conclude_in_parts(self, network: Any, validation: object, eval_set: tuple[Any, ...] | None) -> None:
        """Set what `_conclude` sets, by the rows that were held out or are those of `eval_set`."""
        if not is_classifier(self):
            return
        if not isinstance(validation, PartitionedValidation):
            self._conclude(network, None if eval_set is None else (*eval_set, None)[:3], of_fit=False)
            return
        network.temperature_, network.undoes_smoothing_ = 1.0, False
        if self.calibrate and losses.gives_probabilities(network):
            network.temperature_ = tables.fit_temperature(network, validation)

    # ---- predictions ----

    def _example(self) -> Any:
        """Return a row of missing values."""
        names = getattr(self, "feature_names_in_", None)
        row = np.full((1, self.n_features_in_), None, dtype=object)
        if names is None:
            return row
        import pandas as pd

        return pd.DataFrame(row, columns=names)

    def _levels(self) -> tuple[float, ...] | None:
        levels: tuple[float, ...] | None = self.estimators_[0]._output_loss().levels
        return levels
