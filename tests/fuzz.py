"""Attacks on estimators, their files and the training core: python fuzz.py --cases 50000.

A case changes one attribute, parameter, file or argument of the core to something invalid, and then calls everything. No
case may end the process or exhaust its memory or time, and every error must be one that a user can expect. Cases run in
child processes, by number: `--first 123 --cases 1 --here` runs one in this process.
"""

import argparse
import collections
import copy
import functools
import io
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings

import numpy as np
import scipy.sparse
from fuzz_files import attack_checkpoint, attack_model_file
from fuzz_models import ERRORS, LARGE, SOLVERS, TARGETS, X, attempt, model, use
from fuzz_values import changed, hostile
from helpers import HAS_CALLBACKS
from sklearn import neural_network

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.activation import names, resolve
from pyrelu._mlp.embedding import InputEmbedding
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu._network import LOSSES, Network
from pyrelu._samples import Samples
from pyrelu.registry import embeddings, losses

MEMORY = 1 << 30  # bytes that the cases may use beyond those at the start
SECONDS = 20  # per case


# ---- the attacks ----


def attack_attribute(rnd, folder):
    """Change, or delete, an attribute of a fitted estimator."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    name = rnd.choice([name for name in vars(mlp) if name not in mlp.get_params()])
    if rnd.random() < 0.1:
        delattr(mlp, name)
    else:
        setattr(mlp, name, changed(rnd, getattr(mlp, name)))
    use(mlp, X, y, rnd)


def attack_parameter(rnd, folder):
    """Change a parameter of a fitted estimator."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    parameters = mlp.get_params(deep=False)
    name = rnd.choice(["activation", "solver", *parameters])
    if name == "activation" and rnd.random() < 0.8:
        some = [*names(), "maxout", ("maxout", {"num_pieces": 3}), (np.tanh, np.cos), ("prelu", {"weight": 0.1})]
        value = rnd.choice([rnd.choice(some), [rnd.choice(some), rnd.choice(some)]])
    elif name == "solver" and rnd.random() < 0.8:
        value = rnd.choice(SOLVERS)
    elif name == "hidden_layer_sizes":
        value = rnd.choice([(), (3,), (6, 4, 3), 5, (0,), (-1, 2), None, "6", [6.0, 4], (True, 2)])
    else:
        value = changed(rnd, parameters[name])
    if name in LARGE and isinstance(value, int | float) and value > 3:
        value = 3
    mlp.set_params(**{name: value})
    use(mlp, X, y, rnd)


def attack_rows(rnd, folder):
    """Give X, y and weights that are wrong, among them a CSR matrix whose indices are."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    matrix = scipy.sparse.csr_array(X)
    wrong = getattr(matrix, rnd.choice(["indices", "indptr"]))
    wrong[rnd.randrange(len(wrong))] = rnd.choice([-1, 4, 5, 161, 2**31 - 1, -(2**31)])
    X, y, weights = (matrix, y, None) if rnd.random() < 0.5 else (changed(rnd, X), changed(rnd, y), hostile(rnd))
    attempt(lambda: mlp.predict(X))
    if isinstance(mlp.solver, str) and mlp.solver in STOCHASTIC:
        attempt(lambda: mlp.partial_fit(X, y, weights))
    attempt(lambda: mlp.fit(X, y, weights, eval_set=rnd.choice([None, (X, y)])))


def input_embedding(rnd, dtype):
    """Return an embedding of the columns of X."""
    parts = np.split(np.arange(4, dtype=np.intp), sorted(rnd.choices(range(5), k=2)))
    numeric, plain, categorical = parts
    kind = rnd.choice(list(embeddings)) if len(numeric) else None
    n_levels = np.full(len(categorical), 3, np.intp)
    arrays = {}
    if kind:
        n, k = len(numeric), rnd.choice([1, 3, 20])
        arrays |= {"frequencies": np.ones((n, k)), "phases": np.ones((n, k))}
        arrays |= {"weights": np.ones((n, k, 2)), "biases": np.ones((n, 2))}
    if len(categorical):
        arrays["levels"] = np.ones((n_levels.sum(), 2))
    found = InputEmbedding(4, numeric, plain, categorical, n_levels, kind, arrays)
    if rnd.random() < 0.5:
        arrays["scales"] = np.ones(found.n_outputs)
    return found


def attack_core(rnd, folder):
    """Give the core arguments that do not fit."""
    dtype = rnd.choice([np.float32, np.float64])
    hidden = resolve([rnd.choice(["tanh", "prelu", "rrelu", "glu", "maxout", "softmax", "elu"]), "relu"], 2)
    widths = [hidden[0].width(4), 4, 3]
    weights = [np.ones(shape, dtype) for shape in zip((4, 4, 4), widths)]
    slopes = [np.ones(4, dtype) if one.initial_slope is not None else None for one in hidden]
    embedding = input_embedding(rnd, dtype) if rnd.random() < 0.6 else None
    learned = []
    if embedding is not None:
        weights[0] = np.ones((embedding.n_outputs, widths[0]), dtype)
        learned = list(embedding.learned.values())
    biases = [np.ones(n, dtype) for n in widths]
    parameters, (weights, biases, slopes, learned) = pack((weights, biases, slopes, learned), dtype)
    embedding = embedding and embedding.replace(learned, dtype)
    arguments = [weights, biases, hidden, None, rnd.choice(list(LOSSES)), slopes, parameters, [0.1, 0.1, 0], 0.1, 2]
    arguments += [embedding, [1.0, 0.5, 0.1]]
    rows = [
        X.astype(dtype),
        np.ones((40, 1 if losses[arguments[4]].targets == "classes" else 3), dtype),
        np.ones(40, dtype),
    ]
    if rnd.random() < 0.3:
        rows[0] = scipy.sparse.csr_array(rows[0])
    mlp = MLPRegressor(clip_norm=rnd.choice([None, 1e-3]))
    optimizer = rnd.choice([Gradient, *STOCHASTIC.values()])(parameters, mlp)
    order, batch_size = np.arange(40, dtype=np.intp), 7
    for _ in range(rnd.randrange(1, 3)):
        place = rnd.randrange(4)
        if place == 0:
            i = rnd.randrange(len(arguments))
            arguments[i] = changed(rnd, arguments[i])
        elif place == 1:
            rows = (
                changed(rnd, rows)
                if rnd.random() < 0.2 or not isinstance(rows, list | tuple)
                else [*rows[:1], *map(functools.partial(changed, rnd), rows[1:])]
            )
        elif place == 2:
            optimizer = changed(rnd, optimizer)
        else:
            here = np.arange(40, dtype=np.intp)
            order = rnd.choice([here - 1, here + 1, changed(rnd, here), here[:0], here * 2**40, here.astype("i4")])
            batch_size = rnd.choice([batch_size, 0, -1, 2**62, 2**70, None])

    def run():
        network, samples = Network(*arguments), Samples(*rows)
        attempt(lambda: network.predict(samples), ERRORS)
        attempt(lambda: network.predict(samples, order), ERRORS)
        attempt(lambda: network.find_alive(samples, order), ERRORS)
        network.train(samples, order, batch_size, optimizer)

    # A batch size may be too large for Cython, and a matrix may have lost an attribute of SciPy's.
    attempt(run, (*ERRORS, OverflowError, AttributeError))


def attack_attributes(rnd, folder):
    """Change several attributes of an estimator, and of the optimizer in it."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    found = [name for name in vars(mlp) if name not in mlp.get_params()]
    for name in rnd.sample(found, rnd.randrange(2, 5)):
        setattr(mlp, name, changed(rnd, getattr(mlp, name)))
    use(mlp, X, y, rnd)


def attack_sklearn(rnd, folder):
    """Convert an estimator of scikit-learn's that was changed."""
    i = rnd.randrange(12)
    mlp, X, y = copy.deepcopy(their_model(i))
    name = rnd.choice([name for name in vars(mlp) if name not in mlp.get_params()])
    setattr(mlp, name, changed(rnd, getattr(mlp, name)))
    converted = []
    attempt(lambda: converted.append(model(i)[0].from_sklearn(mlp)))
    attempt(lambda: converted.append(pyrelu_class(mlp).from_sklearn(mlp)))
    for one in converted:
        use(one, X, y, rnd)


def pyrelu_class(theirs):
    return MLPClassifier if isinstance(theirs, neural_network.MLPClassifier) else MLPRegressor


@functools.cache
def their_model(i):
    """Return scikit-learn's estimator, fitted, and the X and y that it was fitted to."""
    target = list(TARGETS)[i % len(TARGETS)]
    cls = neural_network.MLPRegressor if "output" in target else neural_network.MLPClassifier
    solver = ("adam", "sgd", "lbfgs")[i % 3]
    mlp = cls(hidden_layer_sizes=(6, 4), solver=solver, max_iter=2, random_state=i)
    return mlp.fit(X, TARGETS[target]), X, TARGETS[target]


ATTACKS = (
    attack_attribute,
    attack_parameter,
    attack_rows,
    attack_core,
    attack_model_file,
    *([attack_checkpoint] if HAS_CALLBACKS else []),
    attack_attributes,
    attack_sklearn,
)


# ---- the process that runs them, and the one that watches it ----


def run(case, folder):
    """Run one case; return the name of the attack."""
    rnd = random.Random(case)
    attack = ATTACKS[case % len(ATTACKS)]
    attack(rnd, folder)
    return attack.__name__


def work(first, n):
    """Run cases one after the other; say on stdout which begins, and what was unexpected."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    report, sys.stdout = sys.stdout, io.StringIO()
    for i in range(200):
        model(i)
    pages = int(open("/proc/self/statm").read().split()[0]) if os.path.exists("/proc/self/statm") else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + MEMORY,) * 2)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for case in range(first, first + n):
            print(f"case {case}", file=report, flush=True)
            signal.alarm(SECONDS)
            try:
                run(case, folder)
            except BaseException as error:
                where = traceback.extract_tb((error.__cause__ or error).__traceback__)[-1]
                place = f"{os.path.basename(where.filename)}:{where.lineno}"
                print(f"unexpected in {place}: {str(error)[:300]!r}", file=report, flush=True)
        signal.alarm(0)
        os.chdir("/")


def watch(first, n):
    """Run cases in child processes; return {case: signal} of those that ended one, and {case: error}."""
    signals, errors, last = {}, {}, first + n
    while first < last:
        child = subprocess.run(
            [sys.executable, __file__, "--here", "--first", str(first), "--cases", str(last - first)],
            capture_output=True,
            text=True,
        )
        case = None
        for line in child.stdout.splitlines():
            if found := re.fullmatch(r"case (\d+)", line):
                case = int(found[1])
            elif line.startswith("unexpected"):
                errors[case] = line
        if child.returncode == 0:
            break
        if child.returncode > 0 or case is None:
            raise RuntimeError(f"{child.returncode} in case {case}: {child.stderr[-2000:]}")
        signals[case] = signal.Signals(-child.returncode).name
        first = case + 1
    return signals, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--here", action="store_true", help="in this process")
    arguments = parser.parse_args()
    if arguments.here:
        work(arguments.first, arguments.cases)
        return
    signals, errors = watch(arguments.first, arguments.cases)
    for case, name in signals.items():
        print(f"{name} in case {case} ({ATTACKS[case % len(ATTACKS)].__name__})")
    for line, n in collections.Counter(re.sub(r"\d{3,}", "N", line) for line in errors.values()).most_common(60):
        case = next(case for case, other in errors.items() if re.sub(r"\d{3,}", "N", other) == line)
        print(f"{n} times, first in case {case} ({ATTACKS[case % len(ATTACKS)].__name__}): {line}")
    print(f"{arguments.cases} cases: {len(signals)} signals, {len(errors)} unexpected errors")
    sys.exit(bool(signals or errors))


if __name__ == "__main__":
    main()
