"""One convention for all functions: operands by position or name, methods, errors, examples."""

import copy
import doctest
import inspect
import pickle
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import NAMESPACES, arrays_of, call, parameters, pickles_ufuncs, rng, same_bits

import pyrelu as pr
from pyrelu._functions.domains import Parameters
from pyrelu.registry import activations, axis_functions, composed_functions

FUNCTIONS = [
    (namespace, name) for namespace in NAMESPACES for name in getattr(pr, namespace).__all__ if name != "prelu_weight"
]
OBJECTS = [
    (namespace, name)
    for namespace, name in FUNCTIONS
    if not isinstance(getattr(getattr(pr, namespace), name), np.ufunc)
]
each = pytest.mark.parametrize(("namespace", "name"), FUNCTIONS)
each_object = pytest.mark.parametrize(("namespace", "name"), OBJECTS)


def operands(namespace, name):
    """Name -> value of what a call of the function must give."""
    function = getattr(getattr(pr, namespace), name)
    x = np.linspace(-2, 3, 12).reshape(2, 6)
    given = {"x": x, "weight": 0.25, "threshold": 0.25, "value": 0.5, "num_pieces": 2}
    required = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind == 1]
    given = {key: given[key] for key in required if key != "g"}
    if namespace == "vjp":
        forward = getattr(pr, name)(*given.values())
        given = {"x": x, "g": np.cos(forward), **{k: v for k, v in given.items() if k != "x"}}
    return function, given


@each_object
def test_operands_by_position_or_by_name(namespace, name):
    function, given = operands(namespace, name)
    want = function(*given.values())
    assert same_bits(function(**given), want)
    first, *rest = given
    assert same_bits(function(given[first], **{key: given[key] for key in rest}), want)
    with pytest.raises(TypeError, match=f"{function.__name__}.* multiple values .*'x'"):
        function(*given.values(), x=1.0)
    with pytest.raises(TypeError, match=f"{function.__name__}.* missing .*'x'"):
        function()
    with pytest.raises(TypeError, match=function.__name__):
        function(*given.values(), no_such_keyword=1)
    with pytest.raises(TypeError, match=f"{function.__name__}.* at most"):
        function(*[1.0] * 9)


@each_object
def test_methods_that_make_no_sense_are_refused(namespace, name):
    function = getattr(getattr(pr, namespace), name)
    for method in ("reduce", "accumulate", "reduceat"):
        with pytest.raises(ValueError, match=f"{function.__name__}.{method} is not defined: "):
            getattr(function, method)(np.linspace(-1, 1, 9))


@pickles_ufuncs
@each_object
def test_attributes_of_a_ufunc(namespace, name):
    function = getattr(getattr(pr, namespace), name)
    assert function.nargs == function.nin + function.nout == function.nin + 1
    assert len(function.types) == function.ntypes == 3 and all("->" in loop for loop in function.types)
    assert function.identity is None and not isinstance(function, np.ufunc)
    assert repr(function) == f"<activation function pyrelu.{namespace}.{function.__name__}>"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(function, protocol)) is function
    assert copy.deepcopy(function) is function
    for ufunc in {function.ufunc, getattr(function, "default_ufunc", None)} - {None}:
        assert pickle.loads(pickle.dumps(ufunc)) is ufunc


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_at_and_outer(activation, namespace, dtype):
    function = getattr(getattr(pr, namespace), activation)
    x, g = np.linspace(-2, 2, 7, dtype=dtype), np.linspace(1, 2, 7, dtype=dtype)
    given = list(parameters(activation).values())
    if given and (namespace == "vjp" or len(given) > 1):
        return  # NumPy has `at` and `outer` for at most two operands
    want, got = x.copy(), x.copy()
    index = [1, 4, 6]
    want[index] = call(namespace, activation, *arrays_of(namespace, x[index], g[index]))
    function.at(got, index, *arrays_of(namespace, *([g[index]] * 2))[1:], *given)
    assert same_bits(got, want)
    if namespace == "vjp":
        assert same_bits(function.outer(x, g), function(x[:, None], g))
    elif len(activations[activation].parameters) == 1:
        slopes = np.array([0.25, 0.5], np.float32 if dtype != np.float64 else dtype)
        assert same_bits(function.outer(x, slopes), function(x[:, None], slopes))


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_dtype_is_the_type_of_the_data(activation, namespace, dtype):
    function = getattr(getattr(pr, namespace), activation)
    values = [0.25 if default is None else default for default in activations[activation].parameters.values()]
    for value in (values, [np.float64(v) + 0.0 for v in values]):  # the defaults, and what is equal to them
        got = function(*arrays_of(namespace, np.ones(3), np.ones(3)), *value, dtype=dtype, casting="same_kind")
        assert got.dtype == dtype


@each
def test_every_example_runs(namespace, name):
    function = getattr(getattr(pr, namespace), name)
    session = doctest.DocTestParser().get_doctest(function.__doc__, {}, name, None, 0)
    assert len(session.examples) == 2
    runner = doctest.DocTestRunner()
    runner.run(session)
    assert runner.failures == 0


def test_errors_have_public_names(activation):
    with pytest.raises(TypeError) as error:
        call("functional", activation, np.ones(2, complex))
    assert f"'{activation}" in str(error.value) and "_default" not in str(error.value).replace(".default_ufunc", "")


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.filterwarnings("ignore:invalid value encountered", "ignore:overflow encountered")
def test_accumulate_reduce_and_reduceat_of_the_ufunc_are_sequential(activation, namespace, dtype):
    ufunc = getattr(getattr(getattr(pr, namespace), activation), "ufunc", None)
    if ufunc is None or ufunc.nin != 2:
        return
    if namespace != "vjp" and dtype == np.float16:  # whose parameter is float32, so NumPy refuses
        with pytest.raises(TypeError, match="dtypes are not compatible"):
            ufunc.accumulate(np.ones(3, dtype))
        return
    one = lambda a, b: ufunc(dtype(a), dtype(b))  # noqa: E731
    for n in (1, 2, 9, 700):
        x = np.cos(np.arange(n)).astype(dtype)
        want = [x[0]]
        for value in x[1:]:
            want.append(one(want[-1], value))
        for strided in (x, np.repeat(x, 2)[::2], x[::-1].copy()[::-1]):
            assert same_bits(ufunc.accumulate(strided), np.array(want, dtype))
            assert same_bits([ufunc.reduce(strided)], np.array(want[-1:], dtype))
        assert same_bits(ufunc.accumulate(x, out=np.empty_like(x)[::-1]), np.array(want, dtype))
        columns = np.stack([x, x[::-1]], axis=1)
        assert same_bits(ufunc.accumulate(columns, axis=0)[:, 0], np.array(want, dtype))
        if n > 4:
            middle = n // 2
            tail = x[middle]
            for value in x[middle + 1 :]:
                tail = one(tail, value)
            got = ufunc.reduceat(x, [0, middle])
            assert same_bits(got, np.array([want[middle - 1], tail], dtype))


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_an_overflow_is_reported_and_nothing_else(activation, namespace, dtype):
    """Where finite operands give an infinite result, as by numpy.exp, and where none does not."""
    info, values = np.finfo(dtype), [0, 1, 5, 11.0, 11.5, 12, 20, 88, 89, 300, 709, 710, 1000, np.inf, np.nan]
    values = np.array([*values, info.max / 2, info.max * dtype(0.99), np.sqrt(info.max), info.max], float)
    with np.errstate(over="ignore"):
        values = np.concatenate([-values, values]).astype(dtype)
        slopes = np.array([1, 2, info.max * dtype(0.95), -info.max, np.inf], dtype) if namespace == "vjp" else [1]
    for n in (1, 19):  # a remainder, and whole vectors
        for x in np.array(values, dtype)[:, None].repeat(n, 1):
            for g in np.array(slopes, dtype):
                operands = arrays_of(namespace, x, np.full(n, g))
                with np.errstate(over="ignore"):
                    got = call(namespace, activation, *operands)
                overflow = bool(np.isinf(got[0]) and all(np.isfinite(a[0]) for a in operands))
                with np.errstate(all="raise"), pytest.raises(FloatingPointError) if overflow else nullcontext():
                    call(namespace, activation, *operands)


def reports_overflow(namespace, name, operands, **keywords):
    """Whether a call reports an overflow; anything else that it reports is an error. The operands may be overwritten."""
    with np.errstate(all="raise"):
        try:
            call(namespace, name, *operands, **keywords)
        except FloatingPointError as error:
            assert "overflow" in str(error)
            return True
    return False


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("step", [1, 2])
def test_overwriting_an_operand_changes_neither_results_nor_reports(activation, namespace, dtype, step):
    """An infinite result is told from an infinite operand even where it has taken the operand's place."""
    r, largest = rng(activation, namespace, dtype), np.finfo(dtype).max
    infinite, ordinary = np.array([np.inf, -np.inf, np.nan], dtype), np.array([-3, -1, 0, 2], dtype)
    huge = np.array([largest, -largest, largest / 2, np.sqrt(largest)], dtype)
    for kinds in (infinite, huge), (infinite, ordinary), (infinite, huge, ordinary), (ordinary, huge[:2]):
        values = np.concatenate(kinds)
        for n in (1, 40, 700, 9000):  # a remainder, a block, several, and so many that the first ends at a line
            x, g = (np.repeat(r.choice(v, n), step)[::step] for v in (values, [*values, dtype(1), dtype(1)]))
            operands = arrays_of(namespace, x, g.astype(dtype))
            with np.errstate(over="ignore"):
                want = call(namespace, activation, *operands)
            reported = reports_overflow(namespace, activation, operands)
            assert reported == (np.isinf(want) & np.isfinite(operands).all(axis=0)).any()
            for k in range(len(operands)):
                again = [np.repeat(a, step)[::step] for a in operands]
                assert reports_overflow(namespace, activation, again, out=again[k]) == reported
                assert same_bits(again[k], want)


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("kind", [float, np.float64])
def test_a_number_gives_what_an_array_of_it_gives(activation, namespace, kind):
    """A call of numbers alone goes past NumPy, but for its results that are not finite."""
    limits = np.finfo(float)
    values = [-800, -1.5, -0.0, 0, 1e-310, 0.3, 2, 800, 1e200, -limits.max, limits.max, np.inf, -np.inf, np.nan]
    for x in values:
        for g in (1.5, -limits.max):
            numbers = arrays_of(namespace, kind(x), kind(g))
            with np.errstate(over="ignore"):
                got = call(namespace, activation, *numbers)
                want = call(namespace, activation, *(np.array([number]) for number in numbers))[0]
            assert type(got) is np.float64 and same_bits([got], [want])
            overflow = np.isinf(want) and np.isfinite(numbers).all()
            with np.errstate(all="raise"), pytest.raises(FloatingPointError) if overflow else nullcontext():
                call(namespace, activation, *numbers)


# A row's facts, of which one parameter may be as large as the other.
ROW = SimpleNamespace(
    name="row",
    parameters={"low": 1.0, "high": 2.0},
    parameter_domains={"low": "(0, inf)", "high": "[-1, 1e9)"},
    condition="low <= high",
)


@pytest.mark.parametrize("bad", [(0.0, 1), (-1, 2.0), (np.float32(-3), 1.0), (np.array(0.0), 1.0), (0.5, 1e9), (2, 1)])
def test_scalars_outside_the_domain_are_refused(bad):
    with pytest.raises(ValueError, match="row: .*(allowed are values in|outside the domain, low <= high)"):
        Parameters(ROW).check("row", bad)


def test_what_is_inside_or_an_array_is_not_refused():
    for good in [(1, 2), (1.0, 1.0), (np.nan, 1.0), (np.array([-1.0]), 2.0), (1e-300, 1e8)]:
        Parameters(ROW).check("row", good)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_each_parameter_is_checked_against_the_table(activation, namespace):
    """By the ends of its interval: what belongs to it is taken, what does not is refused, by name."""
    row, function = activations[activation], getattr(getattr(pr, namespace), activation)
    arrays = arrays_of(namespace, np.ones(2), np.ones(2))
    given = {name: 0.25 for name, default in row.parameters.items() if default is None}
    for name, domain in row.parameter_domains.items():
        low, high = map(float, domain[1:-1].split(","))
        allowed = {low: domain[0] == "[", high: domain[-1] == "]"}
        if low > -np.inf:
            allowed[np.nextafter(low, -np.inf)] = False
        for value, inside in allowed.items():
            others = {other: value for other in row.parameters if row.condition}  # equal, as the condition allows
            if inside:
                function(*arrays, **given | others | {name: value})
            else:
                with pytest.raises(ValueError, match=f"{activation}: {name}=.* allowed are values in "):
                    function(*arrays, **given | {name: value})
    if row.condition:
        first, second = row.parameters
        for training in ({"training": True}, {}) if activation == "rrelu" else ({},):
            with pytest.raises(ValueError, match=f"{first}=0.5.*{second}=0.2"):
                function(*arrays, **{first: 0.5, second: 0.2}, **training)


def test_tables_in_notebooks():
    for table in (pr.activations, pr.axis_functions, composed_functions):
        assert len(repr(table)) < 1000 and "object at" not in repr(table)
        html = table._repr_html_()
        assert html.count("<tr>") == len(table) + 1
        with pytest.raises(TypeError):
            table["new"] = None
    assert (
        {**pr.activations, **pr.axis_functions}
        == pr.activations | pr.axis_functions
        == {} | pr.activations | pr.axis_functions
    )
    assert "x if x &gt; 0" in pr.activations._repr_html_()


def test_dir_has_public_names_only():
    for module in (pr, pr.functional, pr.derivative, pr.vjp):
        assert [name for name in dir(module) if name.startswith("_") and name != "__version__"] == []
        assert all(hasattr(module, name) for name in dir(module))
    assert {*axis_functions, *composed_functions, *activations} <= set(dir(pr))
