"""Recipes: what the networks of the tabular estimators are set to where the user says nothing."""

import numpy as np

# RealMLP of Holzmueller, Grinsztajn and Steinwart, Better by default, NeurIPS 2024, arXiv:2407.04491. The constants are those
# of the authors' package pytabkit 1.7.3. It multiplies the factor on the learning rate into the decay twice.
_REALMLP = {
    "hidden_layer_sizes": (256, 256, 256),
    "batch_size": 256,
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

# Preset -> (parameters of a classifier's networks, of a regressor's)
PRESETS = {
    "td": (_TD | _OF_CLASSIFIERS, _TD | {"activation": "mish", "learning_rate_init": 0.2}),
    "td-s": (_TD_S | _OF_CLASSIFIERS, _TD_S | {"activation": "mish", "learning_rate_init": 0.07}),
}
PRESETS["auto"] = PRESETS["td"]


def parameters_of(preset, is_classifier):
    """Return a copy of the parameters of a preset's networks."""
    return dict(PRESETS[preset][0 if is_classifier else 1])
