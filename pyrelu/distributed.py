"""The loss of a network over rows that are in many places, for an engine of your own: Ray, Spark, MPI, or SciPy.

`Objective` is made once of an estimator and goes to the workers. Each computes `Objective.loss_and_gradient` of its rows;
the sums of all, added in a fixed order, go to `Objective.apply_step`, or to an optimiser of your choice.
`pyrelu.dask` is written on it.

Examples
--------
SciPy's L-BFGS over partitions, which gives what ``MLPClassifier(solver="lbfgs")`` does to rounding:

>>> import functools
>>> import numpy as np
>>> import scipy.optimize
>>> from sklearn.datasets import load_iris
>>> from pyrelu import MLPClassifier
>>> from pyrelu.distributed import Objective
>>> X, y = load_iris(return_X_y=True)
>>> mlp = MLPClassifier(5, "tanh", solver="lbfgs", max_iter=20, random_state=0)
>>> objective = Objective(mlp, X[:1], y[:1], classes=[0, 1, 2])
>>> partitions = [objective.prepare(X[i::4], y[i::4]) for i in range(4)]
>>> def add(sums, others):
...     return tuple(a + b for a, b in zip(sums, others))
>>> def mean_loss(parameters):
...     of_each = (objective.loss_and_gradient(parameters, rows) for rows in partitions)
...     loss, gradient, weight = functools.reduce(add, of_each)
...     penalties, gradient = objective.penalised(parameters, gradient, weight)
...     return loss / weight + penalties, gradient
>>> found = scipy.optimize.minimize(
...     mean_loss, objective.parameters, jac=True, method="L-BFGS-B", options={"maxiter": 20, "gtol": mlp.tol}
... )
>>> import warnings
>>> with warnings.catch_warnings(action="ignore"):
...     bool(np.isclose(found.fun, mlp.fit(X, y).loss_))
True
"""

from pyrelu._mlp.objective import Objective

__all__ = ["Objective"]
