"""The state of a fit, the one source of snapshots, checkpoints and fitted attributes."""

from collections.abc import Sized
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pyrelu._memory import on_lines
from pyrelu._mlp.callback_support import NoCallbacks
from pyrelu._mlp.display import Nothing
from pyrelu._mlp.optimizers import Optimizer
from pyrelu._network import Epoch, Network
from pyrelu._samples import Samples
from pyrelu._typing import Data, Floats, Indices

Record = dict[str, float]  # of an epoch, in `history`

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

# Marks a field without an attribute: one that may hold anything, since it stands in the place of a value of any type.
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()


class Rows(Protocol):
    """Where the rows of a fit are: what the training loops ask of them."""

    def begin(self, state: "FitState") -> None:
        """Prepare the first epoch."""

    def train(self, state: "FitState") -> tuple[Epoch, int]:
        """Train for one epoch; return its result and the number of rows seen."""

    def evaluate(self, state: "FitState") -> tuple[Epoch, NDArray[np.float64]]:
        """Return the loss of all rows, as that of an `Epoch`, and its gradient."""

    def find_alive(self, state: "FitState") -> NDArray[np.bool_]:
        """Return for each hidden unit whether it is not 0 for every row."""

    def n_rows(self, state: "FitState") -> int:
        """Return the number of rows that `state.order` and the held-out rows number."""

    def fingerprint(self, state: "FitState") -> str:
        """Return a digest of the data of the fit."""


class Scored(Protocol):
    """Rows that are scored after each epoch, wherever they are.

    Attributes
    ----------
    rows : ndarray of intp or None
        The numbers of those that the fit holds out; None: they have none.
    targets : array or range
        As long as there are rows.
    """

    @property
    def rows(self) -> Indices | None: ...

    @property
    def targets(self) -> Sized: ...

    def score(self, state: "FitState") -> float:
        """Return the score of the weights as they are now."""


@dataclass
class Snapshot:
    """Everything that an epoch changes, as it was at the end of one."""

    parameters: Floats
    optimizer_state: list[Floats]
    optimizer_counters: dict[str, float]
    counters: dict[str, float | None]
    n_records: dict[str, int]  # their lengths: epochs only append
    order: Indices
    best_parameters: dict[str, Floats]
    alive: NDArray[np.bool_] | None
    stopped: bool
    random_state: dict[str, Any] | None


@dataclass(eq=False)
class FitState:
    """The state of one fit.

    Attributes
    ----------
    estimator : estimator
        The copy that is trained; callbacks and scorers see it, and its parameters configure the fit.
    network : Network
        Its `parameters` are trained.
    samples : Samples or None
        The rows, where all are in memory.
    data : tuple of (X, targets, weights), or None
        The arrays of `samples`.
    order : ndarray of intp
        The rows to train on; each epoch shuffles them.
    validation : Scored or None
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
    rows : Rows
        Trains on the rows, wherever they are.
    last_epoch : Snapshot or None
        The end of the last complete epoch; None: the fit has not begun.
    """

    estimator: Any
    network: Network
    samples: Samples | None
    data: Data | None
    order: Indices
    validation: Scored | None
    callbacks: NoCallbacks
    display: Nothing
    random_state: np.random.RandomState
    rows: Rows
    optimizer: Optimizer = ABSENT
    loss: float = ABSENT
    n_iter: int = ABSENT
    t: int = ABSENT
    no_improvement_count: int = ABSENT
    best_loss: float | None = ABSENT
    best_validation_score: float | None = ABSENT
    loss_curve: list[float] = ABSENT
    validation_scores: list[float] | None = ABSENT
    history: list[Record] = ABSENT
    best_parameters: dict[str, Floats] = field(default_factory=dict)
    alive: NDArray[np.bool_] | None = None
    stopped: bool = False
    callback_data: dict[Any, Any] = field(default_factory=dict)
    last_epoch: Snapshot | None = None
    _copies: list[Floats] | None = None  # the arrays of snapshots, one after another

    def __post_init__(self) -> None:
        attributes = vars(self.estimator)
        for name, attribute in (COUNTERS | RECORDS).items():
            setattr(self, name, attributes.get(attribute, ABSENT))
        self.t = 0 if self.t is ABSENT else self.t

    @property
    def parameters(self) -> Floats:
        return self.network.parameters

    def write_attributes(self) -> None:
        """Update the attributes of the estimator in training."""
        attributes = vars(self.estimator)
        for name, attribute in ATTRIBUTES.items():
            value = getattr(self, name)
            if value is not ABSENT and getattr(value, "resumable", True):
                attributes[attribute] = value
            else:
                attributes.pop(attribute, None)

    def take_snapshot(self) -> None:
        """Make `last_epoch` the state as it is. Its arrays are the fit's own until `keep_snapshot`."""
        self.last_epoch = self._snapshot()
        if self.callbacks:  # which may change the arrays
            self.keep_snapshot()

    def keep_snapshot(self) -> None:
        """Copy the arrays of `last_epoch`, unless that is done: before they change, so not after the last epoch.

        An interrupt meanwhile does no harm, as `last_epoch` has the fit's own arrays until it has all copies.
        """
        last = self.last_epoch
        if last is None or last.parameters is not self.parameters:
            return
        arrays = [last.parameters, *last.optimizer_state]
        if self._copies is None:
            self._copies = on_lines(len(arrays), len(last.parameters), last.parameters.dtype)
        for copy, array in zip(self._copies, arrays, strict=True):
            copy[:] = array
        self.last_epoch = replace(last, parameters=self._copies[0], optimizer_state=self._copies[1:])

    def amend_snapshot(self) -> None:
        """Copy what callbacks may have changed since the snapshot to it."""
        assert self.last_epoch is not None
        self.last_epoch.best_parameters, self.last_epoch.stopped = dict(self.best_parameters), self.stopped

    def _snapshot(self) -> Snapshot:
        """Return the state as it is. Epochs replace other arrays rather than modify them."""
        optimizer = self.optimizer
        return Snapshot(
            parameters=self.parameters,
            optimizer_state=optimizer.state,
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

    def restore(self, snapshot: Snapshot) -> None:
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
