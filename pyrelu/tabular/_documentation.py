"""Documentation of the tabular estimators, from one text for both."""

import inspect
import textwrap
from typing import TypeVar

from sklearn.base import ClassifierMixin

from pyrelu._mlp import losses

T = TypeVar("T")

# Attributes of networks that the estimators have as well.
RECORDS = (
    "n_iter_",
    "loss_",
    "best_loss_",
    "loss_curve_",
    "history_",
    "validation_scores_",
    "best_validation_score_",
    "n_outputs_",
    "out_activation_",
)

COMMON = """\
{SUMMARY}

The table is read as it is: numbers, booleans, categories, texts and dates, with missing values anywhere, in the columns of
a pandas or polars DataFrame, a pyarrow Table or an array. `TablePreprocessor` says what becomes of each kind of column. The
networks embed the columns and are trained by a recipe, `preset`, of which single parameters can be changed.

Parameters
----------
preset : {"auto", "td", "td-s"}, default="auto"
    What the parameters below that are None are. "td" and "td-s" are RealMLP-TD and RealMLP-TD-S of Holzmueller, Grinsztajn
    and Steinwart, "Better by default" (NeurIPS 2024, arXiv:2407.04491). "auto" is RealMLP-TD with a quarter of its epochs
    and all rows in the end: a classifier's networks are trained twice (`refit`), a regressor's are not stopped early.
n_members : int, default=1
    How many networks to train, each from other weights and with other rows held out. Predictions are averaged. They are
    trained side by side, one a thread.
ensemble_size : int or None, default=None
    How many members each network is, which share the weights of its hidden layers (TabM, arXiv:2410.24210): see
    `ensemble_size` of {NETWORK}. None: the preset's.
cv : int, splitter, iterable or None, default=None
    With one, a network is trained on each of its splits, so that `n_members` is 1 or their number. An int is that of folds,
    which are shuffled and, for classes, stratified. `oof_` are then predictions for rows by networks that have not seen
    them.
refit : bool or None, default=None
    Whether to train each network once more, on all rows, for as many epochs as were best on those that it had held out.
    None: with a classifier's preset "auto", unless there is a `cv`.
categorical_features : "from_dtype" or array-like, default="from_dtype"
    The columns that are categories whatever they hold, such as codes that are numbers: a mask of the columns, their
    positions or their names. All other columns are what their type says.
max_one_hot : int, default=8
    A category with more levels is embedded; one with fewer has a column for each.
numeric : {"robust", "standard", "quantile"}, default="robust"
    How columns of numbers are scaled; see `TablePreprocessor`.
hidden_layer_sizes : int, sequence of int or None, default=None
    Number of units in each hidden layer.
activation : str, (str, dict), (callable, callable), sequence of such or None, default=None
    Activation of the hidden layers, as `MLPClassifier` takes it.
learning_rate_init : float or None, default=None
    The initial learning rate. Its schedule is the preset's.
max_iter : int or None, default=None
    The largest number of epochs.
batch_size : int, "auto" or None, default=None
    Number of rows in a batch.
dropout : float, sequence of float or None, default=None
    Probability, in [0, 1), that training drops a unit of a hidden layer for a row. A sequence has one for the columns and
    one for each hidden layer.
alpha : float or None, default=None
    Strength of the weight decay.
early_stopping : bool or None, default=None
    Whether to hold out some of the rows, or use `eval_set` or the splits of `cv`, and keep the weights of the epoch with
    the best score on them: of equal ones the latest. None: the preset's, but True with `eval_set` or `cv`.
validation_fraction : float or None, default=None
    Fraction of the rows to hold out; 2 at least. They have the classes in proportion, but for classes of a single row,
    which is trained on.
n_iter_no_change : int, inf or None, default=None
    With `early_stopping`, the largest number of epochs without a better score.
loss : {LOSS_TYPE} or None, default=None
    The loss to minimise; None: {DEFAULT_LOSS}.

    {LOSSES}

    {ABOUT_LOSSES}
scoring : str, callable or None, default=None
    The score of the held-out rows, or of `eval_set`, after each epoch; higher is better. The name of a scikit-learn
    scorer, or a callable that takes an estimator, X and y (and sample_weight, if it has a parameter of that name). The
    estimator is the network, X the matrix of `preprocessor_`; predictions and y are as they are outside. None:
    {DEFAULT_SCORE}.
network_params : dict or None, default=None
    Further parameters of the networks, by the names that {NETWORK} has, such as ``{"clip_norm": 1.0}``.
random_state : int, RandomState instance or None, default=None
    Seed or generator for all random choices of a fit.
verbose : bool or int, default=False
    As for {NETWORK}; of several networks, a line is printed for each.
n_threads : int or None, default=None
    The largest number of threads for a fit or a prediction; None: `pyrelu.get_num_threads()`. It does not change results.
{OWN_PARAMETERS}

Attributes
----------
preprocessor_ : TablePreprocessor
    What makes the matrix that networks take of a table.
estimators_ : list
    The networks, of subclasses of {NETWORK}: what `pyrelu.inspection` and `pyrelu.plot` take, with the matrix
    ``preprocessor_.transform(X)``.
{OWN_ATTRIBUTES}
oof_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    With `cv`: {OOF} of the networks that had held out the row, on average; NaN where there is none.
n_features_in_ : int
    Number of columns seen by `fit`.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the columns, if all are strings.
n_iter_, n_outputs_ : int
    This and what follows is of the first network, as {NETWORK} has it; `estimators_` has that of the others. With `refit`,
    it is of the second fit, which scores no rows.
loss_ : float
    The loss of the last epoch.
best_loss_, best_validation_score_ : float or None
    The lowest loss without early stopping, and the best score.
loss_curve_ : list of float
    The loss of each epoch.
validation_scores_ : list of float or None
    The score after each epoch.
history_ : list of dict
    One record per epoch.
out_activation_ : str
    Activation of the output layer.

Notes
-----
`set_callbacks` passes callbacks to the networks: they are called with the network in training and the matrix that it is
trained on. With several networks, that happens in several threads at a time. Where `random_state` is None, a `Checkpoint`
cannot be resumed, as networks are given other seeds.

Ctrl-C ends a fit after the epoch. Of several networks, those that are not trained for a whole epoch are left out.

See Also
--------
{NETWORK} : A multilayer perceptron for matrices of numbers.

Examples
--------
{EXAMPLE}
"""

CLASSIFIER = {
    "LOSS_TYPE": "str, (str, dict)",
    "DEFAULT_LOSS": '"log_loss"',
    "ABOUT_LOSSES": '"hinge" and "squared_hinge" give no probabilities: `decision_function` replaces `predict_proba`.',
    "DEFAULT_SCORE": "accuracy",
    "NETWORK": "MLPClassifier",
    "OWN_PARAMETERS": """\
calibrate : bool, default=True
    Whether to divide the networks' outputs, before softmax, by a temperature that makes probabilities right on average: the
    one with the least log-loss on rows held out, or on `eval_set` (Guo et al., 2017). Which class is the most probable does
    not change. Without such rows, what label smoothing did is undone instead.
class_weight : dict, list of dict, "balanced" or None, default=None
    Weights of the classes, as `MLPClassifier` takes them. They multiply the sample weights, also those of held-out rows.
label_smoothing : float or None, default=None
    Share of each target, in [0, 1), that is spread evenly over all classes.""",
    "OWN_ATTRIBUTES": """\
classes_ : ndarray of shape (n_classes,)
    The class labels.""",
    "OOF": "the probabilities (or margins)",
    "EXAMPLE": """\
>>> import pandas
>>> from pyrelu import TabularMLPClassifier
>>> X = pandas.DataFrame({"size": [1.0, 2.0, None, 4.0] * 25, "colour": ["red", "blue", "red", None] * 25})
>>> y = ["small", "small", "large", "large"] * 25
>>> mlp = TabularMLPClassifier(hidden_layer_sizes=(32,), max_iter=50, random_state=0).fit(X, y)
>>> mlp.predict(X[:4])
array(['small', 'small', 'large', 'large'], dtype='<U5')
>>> mlp.predict_proba(X[["colour", "size"]]).shape  # columns are found by name
(100, 2)""",
}

REGRESSOR = {
    "LOSS_TYPE": "str, (str, dict), (callable, callable)",
    "DEFAULT_LOSS": '"squared_error"',
    "ABOUT_LOSSES": """\
As y is standardised for losses whose outputs can be any numbers, "log_cosh" takes errors in units of y's standard
deviation. `delta` of "huber" is in y's units, and your own functions ``(loss, gradient)`` are called with values in y's
units. Several levels of "quantile" are one output each.""",
    "DEFAULT_SCORE": "R2",
    "NETWORK": "MLPRegressor",
    "OWN_PARAMETERS": "",
    "OWN_ATTRIBUTES": "",
    "OOF": "the predictions",
    "EXAMPLE": """\
>>> import pandas
>>> from pyrelu import TabularMLPRegressor
>>> X = pandas.DataFrame({"rooms": [1, 2, 3, 4] * 50, "town": ["Rome", "Oslo"] * 100})
>>> y = 1000 + 500 * X.rooms + 100 * (X.town == "Oslo")
>>> mlp = TabularMLPRegressor(hidden_layer_sizes=(32,), max_iter=50, random_state=0).fit(X, y)
>>> mlp.score(X, y) > 0.9
True""",
}


def documented(cls: type[T]) -> type[T]:
    """Let a class's docstring, its first line, be followed by what there is to say of both."""
    is_classifier = issubclass(cls, ClassifierMixin)
    texts = CLASSIFIER if is_classifier else REGRESSOR
    kind = losses.CLASSIFIER if is_classifier else losses.REGRESSOR
    texts = texts | {"SUMMARY": cls.__doc__ or "", "LOSSES": "\n".join(losses.describe(kind))}
    lines = []
    for line in COMMON.splitlines():
        name = line.strip().strip("{}")
        if line.strip() == f"{{{name}}}" and name in texts:
            lines += [textwrap.indent(texts[name], line[: line.index("{")])] if texts[name] else []
            continue
        for name, text in texts.items():
            line = line.replace(f"{{{name}}}", text)
        lines.append(line)
    cls.__doc__ = inspect.cleandoc("\n".join(lines))
    return cls
