"""The estimators' parameters in words, and constructors that share them.

A parameter is written here, in a constructor's signature and body (`BasePerceptron.__init__`, or that of the one class
that has it), and in `_constraints.CONSTRAINTS`.
"""

import functools
import inspect

PARAMETERS = """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer; `()` for none.
activation : str, (str, dict), (callable, callable) or sequence of such, default="relu"
    Activation of the hidden layers: a name or alias in `pyrelu.activations`; with its parameters, as in
    ``("leaky_relu", {"negative_slope": 0.2})``; or one of these for each hidden layer.
solver : {"lbfgs", "sgd", "adam", "adamw"}, default="adam"
    L-BFGS on all data, for small data sets; stochastic gradient descent; Adam (Kingma and Ba, 2014); or Adam with
    decoupled weight decay (Loshchilov and Hutter, 2017), for which `alpha` is that decay.
alpha : float, default=0.0001
    Strength of the L2 penalty on the weights. The penalty is divided by the batch's number of rows. With "adamw"
    there is no penalty in the loss: each step takes ``learning_rate * alpha`` of every weight away from it.
batch_size : int or "auto", default="auto"
    Rows in a batch; "auto" is ``min(200, n_samples)``. L-BFGS has no batches.
learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
    With solver "sgd": constant; divided by ``t_ ** power_t`` after each epoch; or divided by 5 each time the loss
    (or the validation score) has stalled for `n_iter_no_change` epochs.
learning_rate_init : float, default=0.001
    The learning rate at the start.
power_t : float, default=0.5
    Exponent of "invscaling".
max_iter : int, default=200
    The largest number of epochs, or of iterations of L-BFGS.
shuffle : bool, default=True
    Whether to shuffle the rows before each epoch.
random_state : int, RandomState instance or None, default=None
    Determines the first weights, the validation split, the shuffling, and what else a fit draws.
tol : float, default=1e-4
    An epoch that does not lower the loss (raise the validation score) by as much has not improved.
verbose : bool or int, default=False
    Whether to print the loss of each epoch.
warm_start : bool, default=False
    Whether `fit` goes on from the last solution.
momentum : float, default=0.9
    Momentum of "sgd", between 0 and 1.
nesterovs_momentum : bool, default=True
    Whether that is Nesterov's.
early_stopping : bool, default=False
    Whether to hold out some rows and stop once the score on them stalls. A classifier's split is stratified by
    class. The weights of the epoch with the best score are kept.
validation_fraction : float, default=0.1
    Share of the rows to hold out.
beta_1 : float, default=0.9
    Decay of Adam's mean of the gradient, in [0, 1).
beta_2 : float, default=0.999
    Decay of Adam's mean of the squared gradient, in [0, 1).
epsilon : float, default=1e-8
    Keeps Adam's step finite.
n_iter_no_change : int or inf, default=10
    How many epochs may pass without improvement before training stops.
max_fun : int, default=15000
    The largest number of evaluations of the loss by L-BFGS.
dropout : float or sequence of float, default=0.0
    Probability, in [0, 1), with which training drops a unit for a row (Srivastava et al., 2014): of the hidden units;
    or one for the input and one for each hidden layer. What is kept is scaled up, and predictions drop nothing.
init : str, (str, dict) or callable, default="auto"
    How the first weights are drawn.
l1 : float, default=0.0
    Strength of an L1 penalty on the weights, divided by the batch's number of rows as alpha's is.
clip_norm : float or None, default=None
    The largest norm of a batch's gradient, penalties included; a longer one is scaled down to it.
scoring : str, callable or None, default=None
    What early stopping scores: a name or function that scikit-learn knows as scorer; None: accuracy or R2.
n_threads : int or None, default=None
    The largest number of threads of a fit or prediction; None: `pyrelu.get_num_threads()`. Results do not depend on it.
"""


def extends(base):
    """Return a decorator that gives a constructor the parameters of `base`'s beside its own.

    Its own positional parameters come first, its keyword-only ones last.
    """
    shared = list(inspect.signature(base.__init__).parameters.values())[1:]

    def decorate(own):
        self, *added = inspect.signature(own).parameters.values()
        leading = [p for p in added if p.kind is p.POSITIONAL_OR_KEYWORD]
        signature = inspect.Signature([self, *leading, *shared, *(p for p in added if p.kind is p.KEYWORD_ONLY)])

        @functools.wraps(own)
        def __init__(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            values = bound.arguments
            own(**{name: values.pop(name) for name in [p.name for p in added]}, **{self.name: values[self.name]})
            base.__init__(**values)

        __init__.__signature__ = signature
        return __init__

    return decorate


def documented(cls):
    """Write the shared text into the class's docstring, where that says {PARAMETERS}."""
    for name, text in {"PARAMETERS": PARAMETERS}.items():
        cls.__doc__ = cls.__doc__.replace(f"    {{{name}}}\n", "".join(f"    {line}\n" for line in text.splitlines()))
    return cls
