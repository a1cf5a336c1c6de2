"""Solvers: what they are set to, and what they keep between steps.

The arithmetic of a step is in src/kernels/optimizers.c, how the learning rate changes in schedules.py.
"""

import copy

import numpy as np

from pyrelu._mlp import schedules


class Optimizer:
    """What a solver keeps between steps: `state`, arrays laid out as the parameters are, and the `counters`.

    Parameters
    ----------
    parameters : ndarray of shape (n_parameters,)
        All weights, biases and slopes of the network.
    mlp : estimator
        Its parameters say how to train.
    """

    solver: str  # as src/kernels/optimizers.c calls it
    n_states: int
    momentum = beta_1 = beta_2 = epsilon = decay = 0.0
    counters = ("learning_rate", "t", "epoch", "seed")
    resumable = True  # whether partial_fit can go on with it

    def __init__(self, parameters, mlp):
        self.learning_rate = float(mlp.learning_rate_init)
        self.state = list(np.zeros((self.n_states, *parameters.shape), parameters.dtype))  # one allocation is faster
        self.t = 0  # steps so far
        self.epoch = 0  # epochs so far
        self.seed = 0  # of dropout and of drawn slopes
        self.take_penalties(mlp)

    def take_penalties(self, mlp):
        """Set what belongs to the loss, of which `mlp` is master from fit to fit."""
        self.alpha, self.l1 = mlp.alpha, mlp.l1
        self.clip_norm = np.inf if mlp.clip_norm is None else mlp.clip_norm

    def copy(self, mlp, dtype):
        """Return one that goes on from here, in that precision, and leaves this one as it is."""
        twin = copy.copy(self)
        twin.state = [array.astype(dtype) for array in self.state]
        twin.take_penalties(mlp)
        return twin


class Gradient(Optimizer):
    """Leaves the parameters as they are; `state[0]` gets the gradient."""

    solver = "gradient"
    n_states = 1
    resumable = False


class Stochastic(Optimizer):
    """One that the estimator's parameters describe, and whose learning rate follows a schedule."""

    def __init__(self, parameters, mlp):
        super().__init__(parameters, mlp)
        self.schedule = schedules.resolve(mlp)

    def begin_epoch(self):
        """Set the learning rate of the epoch."""
        self.learning_rate = self.schedule.rate(self.epoch, self.learning_rate)

    def end_epoch(self, n_samples_seen):
        """Count the epoch."""
        self.epoch += 1
        self.learning_rate = self.schedule.after(self.learning_rate, n_samples_seen)

    def stall(self):
        """Adjust the learning rate now that training gets no further. Return whether to stop, and what was done."""
        rate, consequence = self.schedule.stall(self.learning_rate)
        self.learning_rate = rate or self.learning_rate
        return rate is None, consequence


class SGD(Stochastic):
    """Stochastic gradient descent with momentum."""

    n_states = 1

    def __init__(self, parameters, mlp):
        super().__init__(parameters, mlp)
        self.solver = "nesterov" if mlp.nesterovs_momentum else "sgd"
        self.momentum = mlp.momentum


class Adam(Stochastic):
    """Adam (Kingma and Ba, 2014): the state is the running means of the gradient and of its square."""

    solver = "adam"
    n_states = 2

    def __init__(self, parameters, mlp):
        super().__init__(parameters, mlp)
        self.beta_1 = mlp.beta_1
        self.beta_2 = mlp.beta_2
        self.epsilon = mlp.epsilon


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2017): alpha is that decay and no penalty."""

    def take_penalties(self, mlp):
        super().take_penalties(mlp)
        self.alpha, self.decay = 0.0, mlp.alpha


STOCHASTIC = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
