"""Solvers: what they are set to, what they keep between steps, and how their learning rate changes.

The arithmetic of a step is in src/optimizers.c.
"""

import copy

import numpy as np


class Optimizer:
    """What a solver keeps between steps: `state`, arrays laid out as the parameters are, and `t`, the steps so far.

    Parameters
    ----------
    parameters : ndarray of shape (n_parameters,)
        All weights, biases and slopes of the network.
    mlp : estimator
        Its parameters say how to train.
    """

    solver: str  # as src/optimizers.c calls it
    n_states: int
    momentum = beta_1 = beta_2 = epsilon = decay = 0.0
    seed = 0  # of dropout and of drawn slopes

    def __init__(self, parameters, mlp):
        self.learning_rate = float(mlp.learning_rate_init)
        self.alpha = mlp.alpha
        self.l1 = mlp.l1
        self.clip_norm = np.inf if mlp.clip_norm is None else mlp.clip_norm
        self.state = [np.zeros_like(parameters) for _ in range(self.n_states)]
        self.t = 0

    def copy(self, dtype):
        """Return one that goes on from here, in that precision, and leaves this one as it is."""
        twin = copy.copy(self)
        twin.state = [array.astype(dtype) for array in self.state]
        return twin

    def end_epoch(self, n_samples_seen):
        """Adjust the learning rate."""

    def stall(self):
        """Adjust the learning rate now that training gets no further. Return whether to stop, and what was done."""
        return True, "Stopping."


class Gradient(Optimizer):
    """Leaves the parameters as they are; `state[0]` gets the gradient."""

    solver = "gradient"
    n_states = 1


class SGD(Optimizer):
    """Stochastic gradient descent with momentum."""

    n_states = 1

    def __init__(self, parameters, mlp):
        super().__init__(parameters, mlp)
        self.solver = "nesterov" if mlp.nesterovs_momentum else "sgd"
        self.momentum = mlp.momentum
        self.learning_rate_init = self.learning_rate
        self.schedule = mlp.learning_rate
        self.power_t = mlp.power_t

    def end_epoch(self, n_samples_seen):
        if self.schedule == "invscaling":
            self.learning_rate = self.learning_rate_init / (n_samples_seen + 1) ** self.power_t

    def stall(self):
        if self.schedule != "adaptive":
            return super().stall()
        if self.learning_rate <= 1e-6:
            return True, "Learning rate too small. Stopping."
        self.learning_rate /= 5
        return False, f"Setting learning rate to {self.learning_rate:f}"


class Adam(Optimizer):
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

    def __init__(self, parameters, mlp):
        super().__init__(parameters, mlp)
        self.alpha, self.decay = 0.0, mlp.alpha


STOCHASTIC = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
