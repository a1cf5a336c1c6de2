"""Training with SciPy's L-BFGS, on the loss and gradient of the network."""

from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from pyrelu._mlp import history
from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.optimizers import Gradient
from pyrelu._mlp.warn import warn
from pyrelu._network import Epoch


def start_lbfgs(state: FitState) -> None:
    """Set up the state that the iterations change.

    Parameters
    ----------
    state : FitState
    """
    state.optimizer = Gradient(state.parameters, state.estimator)
    state.history = history.continued(state.history, incremental=False)
    state.n_iter = 0


def fit_lbfgs(state: FitState) -> None:
    """Minimise the loss over all samples, starting at the network's parameters.

    Parameters
    ----------
    state : FitState
    """
    mlp, network, callbacks = state.estimator, state.network, state.callbacks
    trained: Epoch
    begun = False

    def loss_and_gradient(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal trained, begun
        if not begun:
            callbacks.begin_epoch(state.n_iter + 1)
            begun = True
            state.keep_snapshot()
        network.parameters[:] = parameters
        trained, gradient = state.rows.evaluate(state)
        return trained.loss, gradient

    def end_iteration(intermediate_result: Any) -> None:
        nonlocal begun
        begun = False
        network.parameters[:] = intermediate_result.x
        state.n_iter += 1
        state.loss = intermediate_result.fun
        state.alive = trained.alive  # the line search evaluates the accepted point last
        score = state.validation.score(state) if state.validation else None
        history.append(state.history, trained, score=score)
        state.display.epoch(state.n_iter, state.loss, score)
        state.write_attributes()
        state.take_snapshot()
        state.stopped = callbacks.end_epoch()
        state.amend_snapshot()
        if state.stopped:
            raise StopIteration

    result = scipy.optimize.minimize(
        loss_and_gradient,
        network.parameters.astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=end_iteration,
        options={"maxfun": mlp.max_fun, "maxiter": mlp.max_iter, "gtol": mlp.tol},
    )
    network.parameters[:] = result.x
    state.loss = result.fun
    state.n_iter = min(result.nit, mlp.max_iter)
    if result.status != 0 and not state.stopped:
        warn(
            f"lbfgs failed to converge after {state.n_iter} iteration(s) (status={result.status}):\n{result.message}\n\n"
            f"Increase the number of iterations (max_iter={mlp.max_iter}), or scale the data.",
            ConvergenceWarning,
        )
