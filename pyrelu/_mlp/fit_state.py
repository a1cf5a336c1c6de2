"""The state of a fit: all that it knows, from which snapshots, checkpoints and the fitted attributes are taken."""

from dataclasses import dataclass, field

import numpy as np

# Field of the state -> the attribute of the estimator that it becomes.
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

ABSENT = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()  # what the estimator has no attribute for


@dataclass
class Snapshot:
    """All that an epoch changes, as it was at the end of one."""

    parameters: np.ndarray
    optimizer_state: list
    optimizer_counters: dict
    counters: dict
    n_records: dict  # how many of each there were: epochs only append to them
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
        The copy that is trained, which callbacks and scorers see. Its parameters say how to train.
    network : Network
        Its `parameters` are what is trained.
    samples : Samples
    data : tuple of (X, targets, weights)
        What `samples` are of.
    order : ndarray of intp
        The rows to train on, as they come.
    validation : Validation or None
    callbacks : NoCallbacks
    display : Nothing
        What shows the progress.
    random_state : RandomState
    optimizer : Optimizer
    loss, n_iter, t, no_improvement_count, best_loss, best_validation_score, loss_curve, validation_scores, history
        What becomes the estimator's attributes of these names.
    best_parameters : dict of str to ndarray
        Earlier parameters that the end of the fit may restore. Replaced, never written to.
    alive : ndarray of bool, or None
        For each hidden unit, whether it was not 0 for all rows of the last epoch.
    stopped : bool
        Whether a stopping rule or a callback has ended the fit.
    callback_data : dict
        What pyrelu's callbacks remember, by their id. They live as long as the fit, so an id stands for one of them.
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
        """Bring the attributes of the estimator in training up to date."""
        attributes = vars(self.estimator)
        for name, attribute in ATTRIBUTES.items():
            value = getattr(self, name)
            if value is not ABSENT and getattr(value, "resumable", True):
                attributes[attribute] = value
            else:
                attributes.pop(attribute, None)

    def take_snapshot(self):
        """Let `last_epoch` be now. The arrays written to are those of two epochs ago, as fresh ones take time."""
        last, self.last_epoch = self.last_epoch, self._snapshot(self._spare)
        self._spare = last

    def _snapshot(self, spare):
        """Return all as it is now. What epochs replace rather than write to is not copied."""
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
            # takes long, and is for checkpoints
            random_state=self.random_state.get_state(legacy=False) if self.callbacks else None,
        )

    def restore(self, snapshot):
        """Make all as it was; records added since are dropped."""
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
