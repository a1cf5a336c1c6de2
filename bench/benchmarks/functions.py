"""Every function of the table, by namespace, type and size: the list is the registry's, so none can be missing."""

from functools import partial

import numpy as np

import pyrelu as pr
from peers.functions import NAMESPACES, functions
from pyrelu._commands.bench import arrays, call


class Functions:
    """Time of one call with `out=`, on one thread; functions along an axis get rows of 256."""

    param_names = ("function", "dtype", "n")
    params = (
        [f"{namespace}.{name}" for namespace in NAMESPACES for name in functions(namespace)],
        ["float32", "float64"],
        [16, 65_536, 1 << 20],
    )

    def setup(self, function, dtype, n):
        namespace, name = function.split(".")
        pr.set_num_threads(1)
        x = arrays(name, dtype, n)
        self.call = call(name, namespace, x, np.ones_like(call(name, "functional", x)()))

    def time_call(self, function, dtype, n):
        self.call()


class Threads:
    """One thread and two, where a second one should pay."""

    param_names = ("name", "threads")
    params = (functions(), [1, 2])

    def setup(self, name, threads):
        pr.set_num_threads(threads)
        self.call = call(name, "functional", arrays(name, "float32", 1 << 20))

    def time_call(self, name, threads):
        self.call()


class Calls:
    """One call of a number."""

    param_names = ("function",)
    params = ([name for name in functions() if name in pr.activations],)

    def setup(self, function):
        parameters = [0.25 for default in pr.activations[function].parameters.values() if default is None]
        self.call = partial(getattr(pr, function), 1.5, *parameters)

    def time_number(self, function):
        self.call()
