"""Every function of the table, by namespace, type and size: the list is the registry's, so none can be missing."""

import numpy as np

import pyrelu as pr


def _parameters(name):
    return [0.25 for default in pr.activations[name].parameters.values() if default is None]


class Elementwise:
    """Time of one call with `out=`, on one thread."""

    param_names = ("name", "namespace", "dtype", "n")
    params = (list(pr.activations), ["functional", "derivative", "vjp"], ["float32", "float64"], [16, 65_536, 1 << 20])

    def setup(self, name, namespace, dtype, n):
        pr.set_num_threads(1)
        x, g = np.random.default_rng(0).uniform(-4, 4, (2, n)).astype(dtype)
        self.arrays = [x, g] if namespace == "vjp" else [x]
        self.arrays += _parameters(name)
        self.function = getattr(getattr(pr, namespace), name)
        self.out = np.empty_like(x)

    def time_call(self, name, namespace, dtype, n):
        self.function(*self.arrays, out=self.out)


class AlongAnAxis:
    """Rows of 10 and of 1,000."""

    param_names = ("name", "namespace", "dtype", "columns")
    params = (list(pr.axis_functions), ["functional", "vjp"], ["float32", "float64"], [10, 1_000])

    def setup(self, name, namespace, dtype, columns):
        pr.set_num_threads(1)
        x = np.random.default_rng(0).uniform(-4, 4, (60_000 // columns, columns)).astype(dtype)
        self.function = getattr(getattr(pr, namespace), name)
        g = np.ones_like(getattr(pr, name)(x))
        self.arrays = [x, g] if namespace == "vjp" else [x]

    def time_call(self, name, namespace, dtype, columns):
        self.function(*self.arrays)


class Threads:
    """One thread and two, where a second one should pay."""

    param_names = ("name", "threads")
    params = (list(pr.activations), [1, 2])

    def setup(self, name, threads):
        pr.set_num_threads(threads)
        self.x = np.random.default_rng(0).uniform(-4, 4, 1 << 20).astype(np.float32)
        self.arguments = [self.x, *_parameters(name)]
        self.function = getattr(pr, name)
        self.out = np.empty_like(self.x)

    def time_call(self, name, threads):
        self.function(*self.arguments, out=self.out)
