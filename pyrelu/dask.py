"""The estimators on a cluster: `DaskMLPClassifier`, `DaskTabularMLPClassifier` and so on; they need dask and distributed.

They train where the rows are: on dask arrays, dask DataFrames or lists of delayed partitions, of which none comes to the
client or moves between workers. All they send are weights and gradients, whose sums over partitions are taken in the
order of these; so a fit gives the same bits for any number of workers, and where a worker dies its tasks run again
elsewhere. docs/scale.md has an example, and says when which `sync` pays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.metaestimators import available_if

from pyrelu._mlp import losses
from pyrelu._mlp.parameters import documented, extends
from pyrelu.neural_network import MLPClassifier, MLPRegressor
from pyrelu.tabular import TabularMLPClassifier, TabularMLPRegressor

try:
    from pyrelu._dask.estimator import Distributed, DistributedPerceptron
    from pyrelu._dask.tabular import DistributedNetworkClassifier, DistributedNetworkRegressor, DistributedTabular
except ImportError as error:
    raise ImportError(f"pyrelu.dask needs dask and distributed, which the extra `dask` installs ({error})") from error

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor", "DaskTabularMLPClassifier", "DaskTabularMLPRegressor"]


class _Classifies(Distributed):
    """What classifiers predict beside labels."""

    @available_if(losses.has_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class.

        Parameters
        ----------
        X : dask array, dask DataFrame, list of Delayed, or array-like in memory
            The features.

        Returns
        -------
        dask array of shape (n_samples, n_classes)
            Lazy; in memory where X is.
        """
        return self._lazily("predict_proba", X)

    @available_if(losses.has_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : dask array, dask DataFrame, list of Delayed, or array-like in memory
            The features.

        Returns
        -------
        dask array of shape (n_samples, n_classes)
            Lazy; in memory where X is.
        """
        return self._lazily("predict_log_proba", X)

    @available_if(losses.has_margins)
    def decision_function(self, X: Any) -> Any:
        """Return how far each row is on the side of each class, where the loss gives no probabilities.

        Parameters
        ----------
        X : dask array, dask DataFrame, list of Delayed, or array-like in memory
            The features.

        Returns
        -------
        dask array of shape (n_samples,) or (n_samples, n_classes)
            Lazy; in memory where X is.
        """
        return self._lazily("decision_function", X)


@documented
class DaskMLPClassifier(_Classifies, DistributedPerceptron, MLPClassifier):
    """A multilayer perceptron that is trained on the workers of a cluster, to classify.

    Each step of a stochastic solver takes a part of each partition, in the order that `random_state`, the epoch and the
    partition determine; "lbfgs" takes all rows. Rows that `early_stopping` holds out are a random part of each partition.
    Where every worker and the client compute with the same instruction set, which `fit` checks, results do not depend on
    the number of workers.

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, list of dict, "balanced" or None, default=None
        As of `pyrelu.MLPClassifier`.
    label_smoothing : float, default=0.0
        As of `pyrelu.MLPClassifier`.
    loss : str or (str, dict), default="log_loss"
        As of `pyrelu.MLPClassifier`.
    client : distributed.Client or None, default=None
        Whose cluster to train on; None: the current one.
    sync : {"step", "epoch"}, default="step"
        How often partitions share what they have learned. "step": in each step, which has rows of all partitions, as in
        a fit to all rows. "epoch": each partition makes the steps of an epoch by itself, in batches of `batch_size` of its
        own rows, and then weights and the solver's state are averaged: fewer messages, another result. "lbfgs" has none.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    {ATTRIBUTES}
    out_activation_ : {"softmax", "logistic", "identity"}
        As of `pyrelu.MLPClassifier`.

    Warns
    -----
    {WARNINGS}

    See Also
    --------
    pyrelu.MLPClassifier : The same for rows in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from pyrelu.dask import DaskMLPClassifier
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = da.from_array(X / 16, chunks=(600, 64)), da.from_array(y, chunks=600)
    >>> with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as client:
    ...     mlp = DaskMLPClassifier(solver="lbfgs", max_iter=100, random_state=0).fit(X, y)
    ...     accuracy = float(mlp.score(X, y))
    >>> accuracy > 0.95, mlp.to_local()
    (True, MLPClassifier(max_iter=100, random_state=0, solver='lbfgs'))
    """

    _plain = MLPClassifier

    @extends(MLPClassifier)
    def __init__(self, *, client: Client | None = None, sync: str = "step") -> None:
        self.client = client
        self.sync = sync


@documented
class DaskMLPRegressor(DistributedPerceptron, MLPRegressor):
    """A multilayer perceptron that is trained on the workers of a cluster, to predict numbers.

    `DaskMLPClassifier` says how.

    Parameters
    ----------
    loss : str, (str, dict) or (callable, callable), default="squared_error"
        As of `pyrelu.MLPRegressor`.
    {PARAMETERS}
    client : distributed.Client or None, default=None
        Whose cluster to train on; None: the current one.
    sync : {"step", "epoch"}, default="step"
        As of `DaskMLPClassifier`.

    Attributes
    ----------
    {ATTRIBUTES}
    out_activation_ : {"identity", "exp"}
        As of `pyrelu.MLPRegressor`.

    Warns
    -----
    {WARNINGS}

    See Also
    --------
    pyrelu.MLPRegressor : The same for rows in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from pyrelu.dask import DaskMLPRegressor
    >>> X = da.random.default_rng(0).uniform(-1, 1, (2000, 3), chunks=(1000, 3))
    >>> y = (X**2).sum(axis=1)
    >>> mlp = DaskMLPRegressor(batch_size=400, learning_rate_init=0.01, max_iter=20, tol=0, random_state=0)
    >>> import warnings
    >>> with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as client:
    ...     with warnings.catch_warnings(action="ignore"):
    ...         mlp = mlp.fit(X, y)
    ...     r2 = float(mlp.score(X, y))
    >>> r2 > 0.9
    True
    """

    _plain = MLPRegressor

    @extends(MLPRegressor)
    def __init__(self, *, client: Client | None = None, sync: str = "step") -> None:
        self.client = client
        self.sync = sync


class DaskTabularMLPClassifier(_Classifies, DistributedTabular, TabularMLPClassifier):
    """A classifier for tables as they are, in partitions, that is trained on the workers of a cluster.

    The preprocessor is that of `pyrelu.TabularMLPClassifier` on all rows, bit for bit (with ``numeric="standard"``, to
    rounding): levels and counts of partitions add up, and exact quantiles are found in a few rounds of small reports.
    Networks are trained one after the other, each on all workers, as `DaskMLPClassifier` is. Their first weights are drawn
    by a sample of some 10,000 rows on one of the workers, and temperatures fitted to the rows held out, where these are.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        Whose cluster to train on; None: the current one.
    sync : {"step", "epoch"}, default="step"
        As of `DaskMLPClassifier`. The presets' batches have some hundred rows, which are too few for the messages of
        "step": set `batch_size`, or take "epoch".
    **parameters
        All others are those of `pyrelu.TabularMLPClassifier`; `cv` must be None. `scoring` needs an `eval_set` in memory.

    Attributes
    ----------
    **attributes
        Those of `pyrelu.TabularMLPClassifier`, except `oof_`.

    See Also
    --------
    pyrelu.TabularMLPClassifier : The same for tables in memory.

    Examples
    --------
    >>> import warnings
    >>> import dask.dataframe as dd
    >>> import pandas
    >>> from distributed import Client
    >>> from pyrelu.dask import DaskTabularMLPClassifier
    >>> table = pandas.DataFrame({"size": [1.0, 2.0, None, 4.0] * 50, "colour": ["red", "blue", "red", None] * 50})
    >>> table = dd.from_pandas(table.assign(label=["small", "small", "large", "large"] * 50), npartitions=2)
    >>> mlp = DaskTabularMLPClassifier(hidden_layer_sizes=(32,), max_iter=30, batch_size=160, random_state=0)
    >>> with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as client:
    ...     mlp = mlp.fit(table[["size", "colour"]], table["label"])
    ...     accuracy = float(mlp.score(table[["size", "colour"]], table["label"]))
    >>> accuracy
    1.0
    >>> mlp.to_local().predict(pandas.DataFrame({"size": [1.0], "colour": ["red"]})).tolist()
    ['small']
    """

    _plain = TabularMLPClassifier
    _in_parts = DistributedNetworkClassifier

    @extends(TabularMLPClassifier)
    def __init__(self, *, client: Client | None = None, sync: str = "step") -> None:
        self.client = client
        self.sync = sync


class DaskTabularMLPRegressor(DistributedTabular, TabularMLPRegressor):
    """A regressor for tables as they are, in partitions, that is trained on the workers of a cluster.

    `DaskTabularMLPClassifier` says how. Targets are standardised by their mean and standard deviation over all partitions.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        Whose cluster to train on; None: the current one.
    sync : {"step", "epoch"}, default="step"
        As of `DaskTabularMLPClassifier`.
    **parameters
        All others are those of `pyrelu.TabularMLPRegressor`; `cv` must be None. `scoring` needs an `eval_set` in memory.

    Attributes
    ----------
    **attributes
        Those of `pyrelu.TabularMLPRegressor`, except `oof_`.

    See Also
    --------
    pyrelu.TabularMLPRegressor : The same for tables in memory.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas
    >>> from distributed import Client
    >>> from pyrelu.dask import DaskTabularMLPRegressor
    >>> table = pandas.DataFrame({"rooms": [1, 2, 3, 4] * 50, "town": ["Rome", "Oslo"] * 100})
    >>> table = dd.from_pandas(table.assign(price=1000 + 500 * table.rooms + 100 * (table.town == "Oslo")), npartitions=2)
    >>> mlp = DaskTabularMLPRegressor(hidden_layer_sizes=(32,), max_iter=30, batch_size=64, random_state=0)
    >>> with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as client:
    ...     mlp = mlp.fit(table[["rooms", "town"]], table["price"])
    ...     r2 = float(mlp.score(table[["rooms", "town"]], table["price"]))
    >>> r2 > 0.9
    True
    """

    _plain = TabularMLPRegressor
    _in_parts = DistributedNetworkRegressor

    @extends(TabularMLPRegressor)
    def __init__(self, *, client: Client | None = None, sync: str = "step") -> None:
        self.client = client
        self.sync = sync
