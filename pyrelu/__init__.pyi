# Written by tools/generate.py from signatures and docstrings: do not edit.

from pyrelu import callbacks as callbacks
from pyrelu import derivative as derivative
from pyrelu import exceptions as exceptions
from pyrelu import functional as functional
from pyrelu import inspection as inspection
from pyrelu import neural_network as neural_network
from pyrelu import onnx as onnx
from pyrelu import plot as plot
from pyrelu import registry as registry
from pyrelu import tabular as tabular
from pyrelu import vjp as vjp
from pyrelu._threads import get_num_threads as get_num_threads
from pyrelu._threads import set_num_threads as set_num_threads
from pyrelu.functional import celu as celu
from pyrelu.functional import crelu as crelu
from pyrelu.functional import elu as elu
from pyrelu.functional import expit as expit
from pyrelu.functional import exponential as exponential
from pyrelu.functional import geglu as geglu
from pyrelu.functional import gelu as gelu
from pyrelu.functional import gelu_tanh as gelu_tanh
from pyrelu.functional import glu as glu
from pyrelu.functional import hard_silu as hard_silu
from pyrelu.functional import hardshrink as hardshrink
from pyrelu.functional import hardsigmoid as hardsigmoid
from pyrelu.functional import hardswish as hardswish
from pyrelu.functional import hardtanh as hardtanh
from pyrelu.functional import identity as identity
from pyrelu.functional import leaky_relu as leaky_relu
from pyrelu.functional import linear as linear
from pyrelu.functional import log_sigmoid as log_sigmoid
from pyrelu.functional import log_softmax as log_softmax
from pyrelu.functional import logistic as logistic
from pyrelu.functional import logsigmoid as logsigmoid
from pyrelu.functional import logsumexp as logsumexp
from pyrelu.functional import maxout as maxout
from pyrelu.functional import mish as mish
from pyrelu.functional import prelu as prelu
from pyrelu.functional import quick_gelu as quick_gelu
from pyrelu.functional import reglu as reglu
from pyrelu.functional import relu as relu
from pyrelu.functional import relu6 as relu6
from pyrelu.functional import relu_squared as relu_squared
from pyrelu.functional import rrelu as rrelu
from pyrelu.functional import selu as selu
from pyrelu.functional import sigmoid as sigmoid
from pyrelu.functional import silu as silu
from pyrelu.functional import softmax as softmax
from pyrelu.functional import softmin as softmin
from pyrelu.functional import softplus as softplus
from pyrelu.functional import softshrink as softshrink
from pyrelu.functional import softsign as softsign
from pyrelu.functional import sparse_plus as sparse_plus
from pyrelu.functional import sparse_sigmoid as sparse_sigmoid
from pyrelu.functional import sparsemax as sparsemax
from pyrelu.functional import squareplus as squareplus
from pyrelu.functional import step as step
from pyrelu.functional import swiglu as swiglu
from pyrelu.functional import swish as swish
from pyrelu.functional import tanh as tanh
from pyrelu.functional import tanhshrink as tanhshrink
from pyrelu.functional import threshold as threshold
from pyrelu.neural_network import MLPClassifier as MLPClassifier
from pyrelu.neural_network import MLPRegressor as MLPRegressor
from pyrelu.registry import activations as activations
from pyrelu.registry import axis_functions as axis_functions
from pyrelu.tabular import TabularMLPClassifier as TabularMLPClassifier
from pyrelu.tabular import TabularMLPRegressor as TabularMLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "activations",
    "axis_functions",
    "celu",
    "crelu",
    "derivative",
    "elu",
    "expit",
    "exponential",
    "functional",
    "geglu",
    "gelu",
    "gelu_tanh",
    "get_num_threads",
    "glu",
    "hard_silu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "identity",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logistic",
    "logsigmoid",
    "logsumexp",
    "maxout",
    "mish",
    "prelu",
    "quick_gelu",
    "registry",
    "reglu",
    "relu",
    "relu6",
    "relu_squared",
    "rrelu",
    "selu",
    "set_num_threads",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "step",
    "swiglu",
    "swish",
    "tanh",
    "tanhshrink",
    "threshold",
    "vjp",
]

__version__: str

def __dir__() -> list[str]: ...
