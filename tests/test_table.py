"""Every row is complete: everything that loops over the table finds each name."""

import inspect

import numpy as np
import pytest
from helpers import parameters
from oracle import exact

import pyrelu as pr
from pyrelu import registry
from pyrelu.registry import activations


def test_every_name_and_alias_is_in_all_namespaces(activation):
    row = activations[activation]
    for name in (row.name, *row.aliases):
        for namespace in (pr, pr.functional, pr.derivative, pr.vjp):
            assert callable(getattr(namespace, name)), f"{name} is missing in {namespace.__name__}"
            assert getattr(namespace, name) is getattr(namespace, row.name)
            assert name in namespace.__all__
        assert registry.find(name) is row


def test_facts_are_stated(activation):
    row = activations[activation]
    assert row.summary.endswith(".") and row.range and row.formula
    assert row.reads in ("X", "Y") and not (row.reads == "Y" and row.parameters)
    assert all(0 <= bound <= 4 for bound in row.ulp)
    assert row.reference or activation == "identity"
    assert all(doc.endswith(".") for doc in row.parameter_docs.values())


def test_docstrings_say_what_a_reader_needs(activation):
    row = activations[activation]
    for namespace in (pr.functional, pr.derivative, pr.vjp):
        doc = inspect.getdoc(getattr(namespace, activation))
        for section in ("Parameters", "Returns", "Notes", *(["References"] if row.reference else [])):
            assert f"{section}\n{'-' * len(section)}\n" in doc, f"{section} is missing"
        for part in (row.formula, row.reference, *row.parameters, *row.parameter_docs.values()):
            assert part in doc


def test_signature_shows_the_defaults(activation):
    row = activations[activation]
    if all(default is None for default in row.parameters.values()):
        return
    for namespace, data in ((pr.functional, ["x"]), (pr.derivative, ["x"]), (pr.vjp, ["x", "g"])):
        shown = dict(inspect.signature(getattr(namespace, activation)).parameters)
        for extra in ("training", "rng"):  # of rrelu
            shown.pop(extra, None)
        assert list(shown) == [*data, *row.parameters, "out", "kwargs"]
        assert {name: shown[name].default for name in row.parameters} == dict(row.parameters)


def test_the_range_is_that_of_the_formula(activation):
    row = activations[activation]
    given = parameters(activation)
    scope = {"inf": np.inf, **{k: v for k, v in row.parameters.items() if v is not None}, **given}
    low, high = (eval(end, {"__builtins__": {}}, scope) for end in row.range[1:-1].split(","))
    for x in np.linspace(-30, 30, 601):
        assert low - 1e-4 <= exact(activation, x, **given) <= high + 1e-4


def test_the_mapping_is_read_only():
    with pytest.raises(TypeError):
        pr.activations["new"] = None
    with pytest.raises(AttributeError):
        pr.activations["relu"].formula = "x"


def test_an_unknown_name_lists_the_known_ones():
    for bad in ("rleu", None, ["relu"]):
        with pytest.raises(ValueError, match="activation=.* is not known; allowed are .*gelu.*relu"):
            registry.find(bad)
