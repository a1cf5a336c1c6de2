"""Clusters, and what happens on one: transfers, and workers that die."""

import os
import pickle
import sys
import warnings
from contextlib import contextmanager

import pytest
from helpers import few_epochs

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
from distributed.utils import get_mp_context  # noqa: E402

# of all tests on the cluster: what dies leaves sockets open
marks = [
    few_epochs,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

# What workers are forked with, so that not each of them spends two seconds on imports. macOS's libraries forbid forks.
METHOD = "forkserver" if sys.platform == "linux" else "spawn"
IMPORTED = ["distributed.nanny", "distributed.http.worker", "dask.dataframe", "pyrelu.dask", "sklearn.datasets"]


@contextmanager
def cluster_of_processes(n_workers, threads_per_worker):
    """Yield a cluster on loopback, at any free port."""
    settings = {
        "distributed.worker.multiprocessing-method": METHOD,
        "distributed.admin.system-monitor.gil.enabled": False,
        # Each looks at its process every few milliseconds or so.
        "distributed.admin.system-monitor.interval": "10s",
        "distributed.admin.tick.interval": "10s",
        "distributed.worker.memory.monitor-interval": "10s",
        "distributed.worker.profile.enabled": False,
    }
    with dask.config.set(settings), warnings.catch_warnings(action="ignore"):
        if METHOD == "forkserver":
            get_mp_context().set_forkserver_preload(IMPORTED)  # in place of distributed's own list
        with distributed.LocalCluster(
            n_workers=n_workers, threads_per_worker=threads_per_worker, dashboard_address=":0", host="127.0.0.1",
            silence_logs=50,
        ) as cluster:  # fmt: skip
            yield cluster


@contextmanager
def gathered_and_received(client):
    """Yield a list, which holds at the end the sizes of what came to the client, and the largest that a worker received."""
    sizes, gather = [], distributed.Client._gather

    async def watched(self, futures, *args, **kwargs):
        result = await gather(self, futures, *args, **kwargs)
        sizes.extend(len(pickle.dumps(value)) for value in (result if isinstance(result, list) else [result]))
        return result

    def forget(dask_worker):
        dask_worker.transfer_incoming_log.clear()

    def largest_received(dask_worker):
        return max((size for one in dask_worker.transfer_incoming_log for size in one["keys"].values()), default=0)

    client.run(forget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed.Client, "_gather", watched)
        yield sizes
    assert sizes
    sizes.extend(client.run(largest_received).values())


@contextmanager
def single_worker():
    """Yield a client, not the current one, of a cluster of one thread of this process."""
    settings = dict(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0")
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster, set_as_default=False) as client:
        yield client


class KillOnce:
    """A callback that kills a worker after the second epoch."""

    def __init__(self, client, address):
        self.client, self.address, self.done = client, address, False

    def __deepcopy__(self, memo):
        return self

    setup = on_fit_task_begin = teardown = lambda self, estimator, context: None

    def on_fit_task_end(self, estimator, context):
        if context.max_subtasks == 0 and estimator.n_iter_ == 2 and not self.done:
            self.done = True
            pid = self.client.run(os.getpid, workers=[self.address])[self.address]
            assert pid != os.getpid()
            os.kill(pid, 9)
