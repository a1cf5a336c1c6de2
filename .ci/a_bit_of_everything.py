"""Calls every function, and fits and uses networks of every kind, on little data: what .ci/sanitize runs under valgrind."""

import tempfile
import warnings
from pathlib import Path

import numpy as np

import pyrelu as pr
from pyrelu.inspection import layer_report

warnings.simplefilter("ignore")
pr.set_num_threads(2)
rng = np.random.default_rng(0)
for dtype in (np.float16, np.float32, np.float64):
    x = rng.normal(size=(3, 43)).astype(dtype)  # with a tail, whatever the vectors' length
    for name, row in pr.activations.items():
        parameters = [0.25 for default in row.parameters.values() if default is None]
        for array in (x, x[:, ::2], x.T):
            getattr(pr, name)(array, *parameters)
            getattr(pr.derivative, name)(array, *parameters)
            getattr(pr.vjp, name)(array, array, *parameters)
    for name in pr.axis_functions:
        getattr(pr, name)(x)
        getattr(pr, name)(x, axis=0)

X, y = rng.normal(size=(70, 5)), rng.integers(3, size=70)
for solver in ("lbfgs", "sgd", "adam", "adamw"):
    for activation in ("relu", "prelu", "gelu", "softmax", "glu", ("maxout", {"num_pieces": 2})):
        for dtype in (np.float32, np.float64):
            more = {} if solver == "lbfgs" else dict(dropout=0.3, clip_norm=1.0, early_stopping=True)
            mlp = pr.MLPClassifier((9, 7), activation, solver=solver, max_iter=2, l1=0.1, n_threads=2, **more)
            mlp.fit(X.astype(dtype), y, sample_weight=np.ones(70)).predict_proba(X.astype(dtype))
    layer_report(mlp, X, y)
path = Path(tempfile.mkdtemp()) / "mlp.safetensors"
mlp.save(path)
pr.MLPClassifier.load(path).predict(X)
pr.MLPRegressor("poisson", 8, max_iter=2).fit(X, y).predict(X)
