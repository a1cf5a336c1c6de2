"""Settings and state of the solvers.

src/kernels/optimizers.c has the arithmetic of a step, and schedules.py the schedules of the learning rate.
"""

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from pyrelu import registry
from pyrelu._memory import on_lines
from pyrelu._mlp import param_groups, schedules
from pyrelu._typing import Floats


class Optimizer:
    """The state of a solver between steps: `state`, arrays with the layout of the parameters, and the `counters`.

    Parameters
    ----------
    parameters : ndarray of shape (n_parameters,)
        All weights, biases and slopes of the network.
    mlp : estimator
        Its parameters set the solver's.
    """

    solver: str  # its name in src/kernels/optimizers.c
    n_states: int
    momentum = beta_1 = beta_2 = epsilon = decay = 0.0
    counters = ("learning_rate", "t", "epoch", "seed")
    resumable = True  # whether partial_fit can go on with it

    def __init__(self, parameters: Floats, mlp: Any) -> None:
        self.learning_rate = float(mlp.learning_rate_init)
        self.state = on_lines(self.n_states, len(parameters), parameters.dtype, zeros=True)
        self.t = 0  # steps so far
        self.epoch = 0  # epochs so far
        self.seed = 0  # of dropout and of drawn slopes
        self.rate_factors = np.ones(len(param_groups.GROUPS))  # of the kinds of parameters, in this epoch
        self.dropout_factor = 1.0
        self.take_penalties(mlp)

    def take_penalties(self, mlp: Any) -> None:
        """Set the penalties and the clipping norm, which may change from one call of partial_fit to the next."""
        self.alpha, self.l1 = mlp.alpha, mlp.l1
        self.clip_norm = np.inf if mlp.clip_norm is None else mlp.clip_norm
        self.base_alpha_factors = self.alpha_factors = param_groups.resolve(mlp)[1]

    def copy(self, mlp: Any, dtype: DTypeLike) -> Self:
        """Return a copy in precision `dtype`, with the penalties of `mlp`."""
        twin = copy.copy(self)
        twin.state = on_lines(len(self.state), len(self.state[0]), dtype)
        for copied, array in zip(twin.state, self.state, strict=True):
            copied[:] = array
        twin.take_penalties(mlp)
        return twin


class Gradient(Optimizer):
    """Stores the gradient in `state[0]` and leaves the parameters unchanged."""

    solver = "gradient"
    n_states = 1
    resumable = False


class Stochastic(Optimizer):
    """A solver whose settings are the estimator's parameters and whose learning rate follows a schedule."""

    def __init__(self, parameters: Floats, mlp: Any) -> None:
        super().__init__(parameters, mlp)
        self.schedule = schedules.resolve(mlp)
        self.base_rate_factors, _, self.factor_schedules = param_groups.resolve(mlp)
        for name in ("alpha", "dropout"):
            given = getattr(mlp, f"{name}_schedule")
            self.factor_schedules[name] = schedules.resolve_factor(mlp, f"{name}_schedule", given)

    def begin_epoch(self) -> None:
        """Set the learning rate of the epoch, and the factors on it, on alpha and on dropout."""
        self.learning_rate = self.schedule.rate(self.epoch, self.learning_rate)
        factors = {name: schedule.rate(self.epoch, 1.0) for name, schedule in self.factor_schedules.items()}
        self.rate_factors = self.base_rate_factors * [factors.get(name, 1.0) for name in param_groups.GROUPS]
        self.alpha_factors = self.base_alpha_factors * factors["alpha"]
        self.dropout_factor = factors["dropout"]

    def end_epoch(self, n_samples_seen: int) -> None:
        """Count the epoch."""
        self.epoch += 1
        self.learning_rate = self.schedule.after(self.learning_rate, n_samples_seen)

    def stall(self) -> tuple[bool, str]:
        """Adjust the learning rate after training has stalled. Return whether to stop, and a message about it."""
        rate, consequence = self.schedule.stall(self.learning_rate)
        self.learning_rate = rate or self.learning_rate
        return rate is None, consequence


_NESTEROV = "nesterov"  # the row for solver="sgd" with nesterovs_momentum=True
_CLASS_NAMES = {"sgd": "SGD", "adamw": "AdamW"}  # in files; other classes are called like their row, capitalised


def _class_of(row: registry.Optimizer) -> type[Stochastic]:
    """Return the solver class for a row of the table."""

    class Rule(Stochastic):
        __doc__ = row.summary
        n_states = row.n_states
        if row.name != "sgd":
            solver = row.name

        def __init__(self, parameters: Floats, mlp: Any) -> None:
            super().__init__(parameters, mlp)
            if row.name == "sgd":
                self.solver = _NESTEROV if mlp.nesterovs_momentum else row.name
            for name in row.hyperparameters:
                setattr(self, name, getattr(mlp, name))

        def take_penalties(self, mlp: Any) -> None:
            super().take_penalties(mlp)
            if row.decoupled:  # alpha is a decay instead of a penalty
                self.alpha, self.decay = 0.0, mlp.alpha

    Rule.__name__ = Rule.__qualname__ = _CLASS_NAMES.get(row.name, row.name.capitalize())
    return Rule


STOCHASTIC = {row.name: _class_of(row) for row in registry.optimizers.values() if row.name != _NESTEROV}
globals().update({cls.__name__: cls for cls in STOCHASTIC.values()})  # pickles look for them here
