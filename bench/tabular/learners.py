"""The learners: each takes a table as it is, with its defaults, on one thread."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu.tabular import TabularMLPClassifier, TabularMLPRegressor

# Variants of the estimators for tables: name -> parameters.
OURS = {
    "auto": {},
    "auto-x4": {"n_members": 4},
    "auto-x8": {"n_members": 8},
    "auto-shared4": {"ensemble_size": 4, "batch_size": 128},
    "auto-shared8-narrow": {"ensemble_size": 8, "hidden_layer_sizes": (128, 128, 128), "batch_size": 64},
    "td": {"preset": "td"},
    "td-s": {"preset": "td-s"},
}

# The default with one thing changed.
ABLATION = {
    "auto-embedding": {"network_params": {"numeric_embedding": None}},
    "auto+piecewise": {"network_params": {"numeric_embedding": "piecewise_linear"}},
    "auto-scales": {"network_params": {"scale_inputs": False}},
    "auto-groups": {"network_params": {"param_groups": {"weights": {"ntk": True}}}},
    "auto-schedules": {"network_params": {"alpha_schedule": "constant", "dropout_schedule": "constant"}},
    "auto-coslog4": {"network_params": {"learning_rate": "cosine"}},
    "auto-parametric": {"network_params": {"parametric_activation": False}},
    "auto-init": {"network_params": {"init": "lecun_normal"}},
    "auto-dropout": {"dropout": 0.0},
    "auto-decay": {"alpha": 0.0},
    "auto-refit": {"refit": False, "early_stopping": True},
    "auto+members": {"n_members": 4},
}


class Prepared(BaseEstimator):
    """A learner that takes neither missing numbers nor labels that are no numbers, or wants categories as text."""

    def __init__(self, model, *, impute=False, codes=False, texts=()):
        self.model = model
        self.impute = impute
        self.codes = codes
        self.texts = texts

    def fit(self, X, y):
        self.medians_ = X.median(numeric_only=True)
        if self.codes:
            self.classes_, y = np.unique(y, return_inverse=True)
        self.model.fit(self._prepare(X), y)
        if not self.codes:
            self.classes_ = getattr(self.model, "classes_", None)
        return self

    def predict(self, X):
        return np.ravel(self.model.predict(self._prepare(X)))

    def predict_proba(self, X):
        return np.asarray(self.model.predict_proba(self._prepare(X)))

    def _prepare(self, X):
        X = X.fillna(self.medians_) if self.impute else X
        if not self.texts:
            return X
        return X.assign(
            **{name: X[name].astype(object).where(X[name].notna(), "missing").astype(str) for name in self.texts}
        )


def _mlp(table, seed):
    """Return the plain network in the pipeline that scikit-learn's documentation would make."""
    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), table.categorical),
    )
    if table.is_classification:
        return make_pipeline(columns, MLPClassifier(random_state=seed, n_threads=1))
    network = MLPRegressor(random_state=seed, n_threads=1)
    return make_pipeline(columns, TransformedTargetRegressor(network, transformer=StandardScaler()))


def _histogram_gradient_boosting(table, seed):
    cls = HistGradientBoostingClassifier if table.is_classification else HistGradientBoostingRegressor
    return cls(random_state=seed, categorical_features="from_dtype")


def _lightgbm(table, seed):
    import lightgbm

    cls = lightgbm.LGBMClassifier if table.is_classification else lightgbm.LGBMRegressor
    return cls(random_state=seed, n_jobs=1, verbose=-1)


def _catboost(table, seed):
    import catboost

    cls = catboost.CatBoostClassifier if table.is_classification else catboost.CatBoostRegressor
    model = cls(
        random_seed=seed, thread_count=1, verbose=False, cat_features=table.categorical, allow_writing_files=False
    )
    return Prepared(model, codes=table.is_classification, texts=tuple(table.categorical))


def _realmlp(table, seed):
    import pytabkit

    cls = pytabkit.RealMLP_TD_Classifier if table.is_classification else pytabkit.RealMLP_TD_Regressor
    return Prepared(cls(device="cpu", random_state=seed, n_cv=1, n_threads=1, verbosity=0), impute=True)


PEERS = {
    "mlp": _mlp,
    "histgb": _histogram_gradient_boosting,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "realmlp-td": _realmlp,
}


def learner(name, table, seed):
    """Return the learner of that name, not fitted."""
    if name in PEERS:
        return PEERS[name](table, seed)
    cls = TabularMLPClassifier if table.is_classification else TabularMLPRegressor
    return cls(random_state=seed, n_threads=1, **(OURS | ABLATION)[name])


def names():
    """Return the names of all learners."""
    return [*OURS, *PEERS, *ABLATION]
