"""Recipes: what the networks of the tabular estimators are set to where the user says nothing."""

from typing import Any

import numpy as np

# RealMLP of Holzmueller, Grinsztajn and Steinwart, Better by default, NeurIPS 2024, arXiv:2407.04491. The constants are those
# of the authors' package pytabkit 1.7.3. It multiplies the factor on the learning rate into the decay twice.
_REALMLP = {
    "hidden_layer_sizes": (256, 256, 256),
    "batch_size": {0: 256},  # from how many rows on: the rows in a batch
    "drop_last": True,
    "max_iter": 256,
    "solver": "adamw",
    "beta_2": 0.95,
    "learning_rate": "coslog4",
    "scale_inputs": True,
    "early_stopping": True,
    "validation_fraction": 0.2,
    "n_iter_no_change": np.inf,
}
_TD = _REALMLP | {
    "numeric_embedding": "periodic",
    "parametric_activation": True,
    "init": "unit_variance",
    "dropout": 0.15,
    "dropout_schedule": "flat_cos",
    "alpha": 0.02,
    "alpha_schedule": "flat_cos",
    "param_groups": {
        "weights": {"ntk": True},
        "biases": {"learning_rate": 0.1},
        "activations": {"learning_rate": 0.1, "alpha": 0.1},
        "scales": {"learning_rate": 6.0, "alpha": 6.0},
        "numeric_embeddings": {"learning_rate": 0.1, "alpha": 0.1},
        "categorical_embeddings": {"alpha": 1.0},
    },
}
_TD_S = _REALMLP | {
    "alpha": 0.0,
    "init": ("lecun_normal", {"bias_std": 1.0, "zero_output": True}),
    "param_groups": {
        "weights": {"ntk": True},
        "biases": {"learning_rate": 0.1},
        "scales": {"learning_rate": 6.0},
    },
}
_OF_CLASSIFIERS = {"activation": "selu", "learning_rate_init": 0.04, "label_smoothing": 0.1}

_CLASSIFIER, _REGRESSOR = _TD | _OF_CLASSIFIERS, _TD | {"activation": "mish", "learning_rate_init": 0.2}
_SMALLER_BATCHES = {"batch_size": {0: 64, 2000: 256}}

# Preset -> (parameters of a classifier's networks, of a regressor's).
# "auto" is what was best for its time on thirteen real tables (docs/tabular.md): a quarter of the epochs, and all rows. A
# classifier first holds some out, to find the best epoch and its temperature; a regressor does better without.
PRESETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "auto": (
        _CLASSIFIER | {"max_iter": 64, "refit": True},
        _REGRESSOR | {"max_iter": 64, "early_stopping": False} | _SMALLER_BATCHES,
    ),
    "td": (_CLASSIFIER, _REGRESSOR),
    "td-s": (_TD_S | _OF_CLASSIFIERS, _TD_S | {"activation": "mish", "learning_rate_init": 0.07}),
}


def parameters_of(preset: str, is_classifier: bool) -> tuple[dict[str, Any], bool]:
    """Return a copy of the parameters of a preset's networks, and whether they are trained again on all rows."""
    parameters = dict(PRESETS[preset][0 if is_classifier else 1])
    return parameters, parameters.pop("refit", False)


def batch_size(preset: str, is_classifier: bool, n_rows: int) -> int:
    """Return the rows in a batch of a preset's networks."""
    sizes: dict[int, int] = PRESETS[preset][0 if is_classifier else 1]["batch_size"]
    return min(sizes[max(start for start in sizes if start <= n_rows)], n_rows)
