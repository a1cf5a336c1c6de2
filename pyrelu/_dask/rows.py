"""The rows of a fit, on the workers of a cluster: what the training loops ask of them becomes graphs of tasks."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable, Sequence, Sized
from typing import TYPE_CHECKING, Any

import numpy as np
from distributed import Client, get_client
from numpy.typing import NDArray
from sklearn.base import is_classifier

from pyrelu import _ufuncs
from pyrelu._dask import tasks
from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.objective import Objective
from pyrelu._mlp.rows import fingerprint, size_of_batch
from pyrelu._network import Epoch

if TYPE_CHECKING:
    from pyrelu._dask.collections import Futures

Graph = dict[str, tuple[Any, ...]]  # key -> a function and its arguments, in which keys stand for results

SUMMANDS = 16  # that one task adds: what a worker receives for it is to stay small

_numbers = itertools.count()


def client_of(client: Client | None) -> Client:
    """Return the client of a fit, after checking that all its workers compute to the same bits."""
    if client is None:
        try:
            client = get_client()
        except ValueError:
            raise ValueError(
                "client=None takes the current client, and there is none. Make one, as in "
                "distributed.Client('tcp://scheduler:8786'), or in distributed.Client() for a cluster on this machine"
            ) from None
    if not isinstance(client, Client):
        raise TypeError(f"client must be a distributed.Client or None, got {type(client).__name__}")
    sets = client.run(tasks.instruction_set)
    if not sets:
        raise ValueError(f"the cluster of {client} has no workers")
    if different := {address: name for address, name in sets.items() if name != _ufuncs.isa()}:
        address, name = min(different.items())
        raise ValueError(
            f"{len(different)} of {len(sets)} workers compute with another instruction set than this process: "
            f"{address} with {name!r}, this one with {_ufuncs.isa()!r}. The result would depend on which worker does what. "
            "Start all of them, and this process, with the environment variable PYRELU_ISA set to one that all can run, "
            "such as 'baseline'"
        )
    return client


class Graphs:
    """Graphs of tasks over the parts of a fit.

    Parameters
    ----------
    client : Client
    objective : Objective
    triples : list of (Future, Future, Future or None)
        X, y and sample weights of each partition. They are released, so that workers keep the rows as the network takes
        them alone, unless someone else holds the partitions.
    fraction : float
        The share of each to hold out.
    seed : int
        Of what is held out.
    """

    def __init__(
        self, client: Client, objective: Objective, triples: Sequence[Futures], fraction: float = 0.0, seed: int = 0
    ) -> None:
        self.client = client
        self.name = f"pyrelu-{id(self):x}-{next(_numbers)}-{np.random.SeedSequence().entropy:x}"
        self.local_objective = objective
        # A task rather than scattered data, which a worker that dies takes with it.
        blob = pickle.dumps(objective)
        self.objective = client.submit(pickle.loads, blob, key=f"{self.name}-objective")
        self.parts = [
            client.submit(tasks.prepare, self.objective, *triple, i, fraction, seed, key=f"{self.name}-part-{i}")
            for i, triple in enumerate(triples)
        ]
        for future in itertools.chain(*triples):
            if future is not None:
                future.release()
        sizes = [client.submit(tasks.sizes, part, key=f"{part.key}-sizes") for part in self.parts]
        self.sizes = np.array(client.gather(sizes)).reshape(-1, 2)

    def get(self, graph: Graph, key: str) -> Any:
        """Return the result of one graph."""
        future = self.client.get(graph, key, sync=False)
        return future.result()

    def key(self, what: str) -> str:
        """Return a new key."""
        return f"{self.name}-{what}-{next(_numbers)}"

    def given(self, graph: Graph, value: object) -> str:
        """Add a value of this process to the graph, as a task; return its key."""
        key = self.key("given")
        graph[key] = (pickle.loads, pickle.dumps(value))
        return key

    def over_parts(self, graph: Graph, function: Callable[..., Any], *arguments: object) -> list[str]:
        """Add a task for each part; return their keys."""
        prefix = self.key(function.__name__)
        keys = [f"{prefix}-{i}" for i in range(len(self.parts))]
        for key, part in zip(keys, self.parts, strict=True):
            graph[key] = (function, *[part if argument is PART else argument for argument in arguments])
        return keys

    def reduced(self, graph: Graph, keys: list[str], function: Callable[[list[Any]], Any] = tasks.add) -> str:
        """Add tasks that reduce many results to one, always in the same order; return its key."""
        while len(keys) > 1:
            prefix, groups = self.key(function.__name__), range(0, len(keys), SUMMANDS)
            for i, start in enumerate(groups):
                graph[f"{prefix}-{i}"] = (function, keys[start : start + SUMMANDS])
            keys = [f"{prefix}-{i}" for i in range(len(groups))]
        return keys[0]

    def digests(self) -> list[str]:
        """Return a digest of the data of each part."""
        found: list[str] = self.client.gather([self.client.submit(tasks.digest, part) for part in self.parts])
        return found


PART = object()  # stands for each part among the arguments of a task


class Partitions(Graphs):
    """The rows to train on, for the training loops: see `rows.InMemory`."""

    def __init__(self, *args: Any, sync: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sync = sync
        self.n_training = int(self.sizes[:, 0].sum())

    def begin(self, state: FitState) -> None:
        pass

    def train(self, state: FitState) -> tuple[Epoch, int]:
        graph: Graph = {}
        mlp: Any = state.estimator
        seed = int(state.random_state.randint(2**63, dtype=np.uint64)) if mlp.shuffle else 0
        optimizer: Any = state.optimizer
        begun = self.given(graph, tasks.State(state.parameters.copy(), optimizer, 0.0, 0.0, 0, False))
        orders = self.over_parts(graph, tasks.order, PART, seed, bool(mlp.shuffle))
        add_epoch = self._steps if self.sync == "step" else self._local_epochs
        after = self.get(graph, add_epoch(graph, begun, orders, mlp))
        state.parameters[:] = after.parameters
        for array, new in zip(optimizer.state, after.optimizer.state, strict=True):
            array[:] = new
        optimizer.t = after.optimizer.t
        n = after.n_rows
        return Epoch(after.loss / n, after.gradient_norm / n, after.alive), n

    def _steps(self, graph: Graph, begun: str, orders: list[str], mlp: Any) -> str:
        n_steps = math.ceil(self.n_training / size_of_batch(mlp.batch_size, self.n_training))
        prefix = self.key("step")
        for t in range(n_steps):
            keys = [f"{prefix}-{t}-gradient-{i}" for i in range(len(self.parts))]
            for key, part, rows in zip(keys, self.parts, orders, strict=True):
                graph[key] = (tasks.gradient, self.objective, begun, part, rows, t, n_steps)
            graph[f"{prefix}-{t}"] = (tasks.step, self.objective, begun, self.reduced(graph, keys))
            begun = f"{prefix}-{t}"
        return begun

    def _local_epochs(self, graph: Graph, begun: str, orders: list[str], mlp: Any) -> str:
        prefix = self.key("local")
        keys = [f"{prefix}-{i}" for i in range(len(self.parts))]
        for key, part, rows in zip(keys, self.parts, orders, strict=True):
            graph[key] = (tasks.local_epoch, self.objective, begun, part, rows, mlp.batch_size, mlp.drop_last)
        graph[prefix] = (tasks.average, self.objective, begun, self.reduced(graph, keys))
        return prefix

    def evaluate(self, state: FitState) -> Any:
        graph: Graph = {}
        parameters = state.parameters.copy()
        keys = self.over_parts(graph, tasks.sums, self.objective, self.given(graph, parameters), PART)
        return self.local_objective.mean(parameters, self.get(graph, self.reduced(graph, keys)))

    def find_alive(self, state: FitState) -> NDArray[np.bool_]:
        graph: Graph = {}
        parameters = self.given(graph, state.parameters.copy())
        keys = self.over_parts(graph, tasks.find_alive, self.objective, parameters, PART)
        alive: NDArray[np.bool_] = self.get(graph, self.reduced(graph, keys, tasks.any_alive))
        return alive

    def n_rows(self, state: FitState) -> int:
        return 0  # none that `state.order` numbers

    def fingerprint(self, state: FitState) -> str:
        validation: Any = state.validation
        if isinstance(validation, PartitionedValidation):
            own = [] if validation.graphs is self else validation.graphs.digests()
        else:
            own = [fingerprint(*validation.data)] if validation else []
        found: str = fingerprint(np.frombuffer("".join([*self.digests(), *own]).encode(), np.uint8))
        return found


class PartitionedValidation:
    """Rows to score after each epoch, on the workers: those that a fit holds out, or the user's.

    Attributes
    ----------
    rows : None
        Rows have no numbers here.
    targets : range
        As long as there are rows.
    """

    rows: NDArray[np.intp] | None = None

    def __init__(self, graphs: Graphs, mlp: Any) -> None:
        self.graphs = graphs
        self.classifies = is_classifier(mlp)
        self.targets: Sized = range(int(graphs.sizes[:, 1].sum()))
        self.mean = None
        if not self.classifies:
            graph: Graph = {}
            sums = graphs.get(graph, graphs.reduced(graph, graphs.over_parts(graph, tasks.moments, PART)))
            self.mean = sums.total / sums.weight if sums.weight else None

    def score(self, state: FitState) -> float:
        """Return the score of the weights as they are now."""
        graph: Graph = {}
        given = self.graphs.given(graph, state.parameters.copy())
        mean = self.graphs.given(graph, self.mean)
        function = tasks.accuracy if self.classifies else tasks.squared_errors
        keys = self.graphs.over_parts(graph, function, self.graphs.objective, given, PART, mean)
        return tasks.score_of(self.graphs.get(graph, self.graphs.reduced(graph, keys)), self.classifies)
