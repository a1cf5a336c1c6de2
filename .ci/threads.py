"""Functions and fits on several threads: what .ci/sanitize runs under ThreadSanitizer."""

import threading
import warnings

import numpy as np

import pyrelu as pr

warnings.simplefilter("ignore")
pr.set_num_threads(4)
rng = np.random.default_rng(0)
x = rng.normal(size=(1 << 9, 1 << 9)).astype(np.float32)
X, y = rng.normal(size=(1000, 20)), rng.integers(3, size=1000)


def work():
    """One of everything that is split over threads."""
    pr.gelu(x)
    pr.vjp.gelu(x, x)
    pr.softmax(x)
    for solver in ("lbfgs", "sgd", "adam"):
        more = {} if solver == "lbfgs" else dict(dropout=0.2, clip_norm=1.0)
        mlp = pr.MLPClassifier((200, 100), solver=solver, max_iter=2, n_threads=4, **more)
        mlp.fit(X, y).predict_proba(X)


work()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
