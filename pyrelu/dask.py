"""The estimators on a cluster: `DaskMLPClassifier` and `DaskMLPRegressor`, which need dask and distributed.

They train where the rows are: on dask arrays, dask DataFrames or lists of delayed partitions, of which none comes to the
client or moves between workers. All they send are weights and gradients, whose sums over partitions are taken in the
order of these; so a fit gives the same bits for any number of workers, and where a worker dies its tasks run again
elsewhere. docs/scale.md has an example, and says when which `sync` pays.
"""

from sklearn.utils.metaestimators import available_if

from pyrelu._mlp import losses
from pyrelu._mlp.parameters import documented, extends
from pyrelu.neural_network import MLPClassifier, MLPRegressor

try:
    from pyrelu._dask.estimator import Distributed
except ImportError as error:
    raise ImportError(f"pyrelu.dask needs dask and distributed, which the extra `dask` installs ({error})") from error

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor"]


@documented
class DaskMLPClassifier(Distributed, MLPClassifier):
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
    >>> with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as client:
    ...     mlp = DaskMLPClassifier(solver="lbfgs", max_iter=100, random_state=0).fit(X, y)
    ...     accuracy = float(mlp.score(X, y))
    >>> accuracy > 0.95, mlp.to_local()
    (True, MLPClassifier(max_iter=100, random_state=0, solver='lbfgs'))
    """

    _plain = MLPClassifier

    @extends(MLPClassifier)
    def __init__(self, *, client=None, sync="step"):
        self.client = client
        self.sync = sync

    @available_if(losses.has_probabilities)
    def predict_proba(self, X):
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
    def predict_log_proba(self, X):
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
    def decision_function(self, X):
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
class DaskMLPRegressor(Distributed, MLPRegressor):
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
    >>> X = da.random.default_rng(0).uniform(-1, 1, (4000, 3), chunks=(1000, 3))
    >>> y = (X**2).sum(axis=1)
    >>> mlp = DaskMLPRegressor(batch_size=400, learning_rate_init=0.01, max_iter=20, tol=0, random_state=0)
    >>> import warnings
    >>> with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as client:
    ...     with warnings.catch_warnings(action="ignore"):
    ...         mlp = mlp.fit(X, y)
    ...     r2 = float(mlp.score(X, y))
    >>> r2 > 0.9
    True
    """

    _plain = MLPRegressor

    @extends(MLPRegressor)
    def __init__(self, *, client=None, sync="step"):
        self.client = client
        self.sync = sync
