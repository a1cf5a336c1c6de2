"""The state of a fit, the one source of snapshots, checkpoints and fitted attributes."""

from dataclasses import dataclass, field

import numpy as np

from pyrelu._mlp.rows import InMemory

# Field of the state -> attribute of the estimator.
COUNTERS = {
    "loss": "loss_",
    "n_iter": "n_iter_",
    "t": "t_",
    "no_improvement_count": "_no_improvement_count",
    "best_loss": "best_loss_",
    "best_validation_score": "best_validation_score_",
}
RECORDS = {"loss_curve": "loss_curve_", "validation_scores": "validation_scores_", "history": "history_"}
ATTRIBUTES = COUNTERS | RECORDS | {"optimizer": "_optimizer", "random_state": "_random_state"}

ABSENT = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()  # marks a field without an attribute


@dataclass
class Snapshot:
    """A copy of everything that an epoch changes, taken at the end of one."""

    parameters: np.ndarray
    optimizer_state: list
    optimizer_counters: dict
    counters: dict
    n_records: dict  # their lengths: epochs only append
    order: np.ndarray
    best_parameters: dict
    alive: np.ndarray | None
    stopped: bool
    random_state: dict | None


@dataclass(eq=False)
class FitState:
    """The state of one fit.

    Attributes
    ----------
    estimator : estimator
        The copy that is trained; callbacks and scorers see it, and its parameters configure the fit.
    network : Network
        Its `parameters` are trained.
    samples : Samples
    data : tuple of (X, targets, weights)
        The arrays of `samples`.
    order : ndarray of intp
        The rows to train on; each epoch shuffles them.
    validation : Validation or None
    callbacks : NoCallbacks
    display : Nothing
        Shows progress.
    random_state : RandomState
    optimizer : Optimizer
    loss, n_iter, t, no_improvement_count, best_loss, best_validation_score, loss_curve, validation_scores, history
        The values of the estimator's attributes of these names.
    best_parameters : dict of str to ndarray
        Earlier parameters that the fit may return to at its end. Replaced, never modified.
    alive : ndarray of bool, or None
        For each hidden unit, whether it was not 0 for all rows of the last epoch.
    stopped : bool
        Whether a stopping rule or a callback has ended the fit.
    callback_data : dict
        Data of pyrelu's callbacks, by their id. Callbacks outlive the fit, so ids are unique.
    rows : InMemory
        Trains on the rows, wherever they are.
    last_epoch : Snapshot
        The end of the last complete epoch.
    """

    estimator: object
    network: object
    samples: object
    data: tuple
    order: np.ndarray
    validation: object
    callbacks: object
    display: object
    random_state: np.random.RandomState
    optimizer: object = ABSENT
    loss: object = ABSENT
    n_iter: object = ABSENT
    t: object = ABSENT
    no_improvement_count: object = ABSENT
    best_loss: object = ABSENT
    best_validation_score: object = ABSENT
    loss_curve: object = ABSENT
    validation_scores: object = ABSENT
    history: object = ABSENT
    best_parameters: dict = field(default_factory=dict)
    alive: np.ndarray | None = None
    stopped: bool = False
    callback_data: dict = field(default_factory=dict)
    rows: object = field(default_factory=InMemory)
    last_epoch: Snapshot | None = None
    _spare: Snapshot | None = None

    def __post_init__(self):
        attributes = vars(self.estimator)
        for name, attribute in (COUNTERS | RECORDS).items():
            setattr(self, name, attributes.get(attribute, ABSENT))
        self.t = 0 if self.t is ABSENT else self.t

    @property
    def parameters(self):
        return self.network.parameters

    def write_attributes(self):
        """Update the attributes of the estimator in training."""
        attributes = vars(self.estimator)
        for name, attribute in ATTRIBUTES.items():
            value = getattr(self, name)
            if value is not ABSENT and getattr(value, "resumable", True):
                attributes[attribute] = value
            else:
                attributes.pop(attribute, None)

    def take_snapshot(self):
        """Copy the state to `last_epoch`. Reuses the arrays of the snapshot before, since allocation takes time."""
        last, self.last_epoch = self.last_epoch, self._snapshot(self._spare)
        self._spare = last

    def _snapshot(self, spare):
        """Return a snapshot. Arrays that epochs replace rather than modify are not copied."""
        optimizer = self.optimizer
        arrays = [self.parameters, *optimizer.state]
        if spare:
            copies = [spare.parameters, *spare.optimizer_state]
        else:
            copies = list(np.empty((len(arrays), *arrays[0].shape), arrays[0].dtype))
        for copy, array in zip(copies, arrays, strict=True):
            copy[:] = array
        return Snapshot(
            parameters=copies[0],
            optimizer_state=copies[1:],
            optimizer_counters={name: getattr(optimizer, name) for name in optimizer.counters},
            counters={name: value for name in COUNTERS if (value := getattr(self, name)) is not ABSENT},
            n_records={
                name: len(records) for name in RECORDS if (records := getattr(self, name)) not in (None, ABSENT)
            },
            order=self.order,
            best_parameters=dict(self.best_parameters),
            alive=self.alive,
            stopped=self.stopped,
            # slow, and needed for checkpoints only
            random_state=self.random_state.get_state(legacy=False) if self.callbacks else None,
        )

    def restore(self, snapshot):
        """Return to a snapshot and drop later records."""
        self.parameters[:] = snapshot.parameters
        for array, was in zip(self.optimizer.state, snapshot.optimizer_state, strict=True):
            array[:] = was
        vars(self.optimizer).update(snapshot.optimizer_counters)
        for name in COUNTERS:
            setattr(self, name, snapshot.counters.get(name, ABSENT))
        for name, length in snapshot.n_records.items():
            del getattr(self, name)[length:]
        self.order = snapshot.order
        self.best_parameters = dict(snapshot.best_parameters)
        self.alive = snapshot.alive
        self.stopped = snapshot.stopped
        if snapshot.random_state:
            self.random_state.set_state(snapshot.random_state)
        self.write_attributes()
