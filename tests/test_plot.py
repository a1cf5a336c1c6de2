"""Pictures: what their lines, dots and colours hold, not their pixels."""

import sys
from functools import cache

import matplotlib
import matplotlib.pyplot
import numpy as np
import pandas
import pytest
from helpers import few_epochs, parameters, rng
from sklearn.datasets import make_moons

import pyrelu as pr
from pyrelu import MLPClassifier, plot, registry
from pyrelu.inspection import ActivityRecorder, gradient_norms, local_linear_map, unit_activity
from pyrelu.plot import (
    ActivationDisplay,
    ActivationGridDisplay,
    ActivationOverlayDisplay,
    DecisionBoundaryDisplay,
    GradientNormDisplay,
    LinearRegionsDisplay,
    LossCurveDisplay,
    UnitActivityDisplay,
)
from pyrelu.plot._style import spread

matplotlib.use("agg")
pytestmark = few_epochs


@pytest.fixture(autouse=True)
def figures():
    """Closes what a test has opened; drawing it once finds what only the renderer sees."""
    from matplotlib import pyplot

    yield
    for number in pyplot.get_fignums():
        if (figure := pyplot.figure(number)).stale:
            figure.canvas.draw()
    pyplot.close("all")


def moons():
    return make_moons(200, noise=0.15, random_state=0)


def fitted(activation="relu", hidden=(6, 5), X=None, y=None, **settings):
    X, y = moons() if X is None else (X, y)
    return MLPClassifier(hidden, activation=activation, random_state=0, **{"max_iter": 30} | settings).fit(X, y)


# ---- activations ----


@cache
def displayed(activation):
    return ActivationDisplay.from_name((activation, parameters(activation)))


def test_an_activation_is_drawn_as_it_is(activation):
    display = displayed(activation)
    for line, space in ((display.line_, pr.functional), (display.derivative_line_, pr.derivative)):
        x, y = line.get_data()
        drawn = np.isfinite(x)
        want = getattr(space, activation)(x[drawn], *parameters(activation).values())
        np.testing.assert_array_equal(y[drawn], want)
        assert x[0] <= -4 and x[-1] >= 4


@pytest.mark.parametrize("x_range", [(0, 100), (-1e6, 1e6), (1e-3, 2e-3)])
def test_any_range_can_be_drawn(activation, x_range):
    display = ActivationDisplay.from_name((activation, parameters(activation)), x_range=x_range)
    assert display.ax_.get_xlim() == x_range
    display.figure_.canvas.draw()
    for name in display._names:  # beside the part of the line that is seen
        (x, y), (left, right), (low, high) = name.xy, display.ax_.get_xlim(), display.ax_.get_ylim()
        assert left <= x <= right and low <= y <= high


def test_kinks_are_drawn_sharp(activation):
    """A point next to each kink on either side, and no line from one side of a jump to the other."""
    row = registry.activations[activation]
    display = displayed(activation)
    values = (row.parameters | parameters(activation)).values()
    for kink in row.kinks_at(*values):
        for line in (display.line_, display.derivative_line_):
            x, y = line.get_data()
            assert np.nextafter(kink, -9) in x and np.nextafter(kink, 9) in x
            before, after = (y[x == np.nextafter(kink, side)][0] for side in (-9, 9))
            between = x[np.flatnonzero(x == np.nextafter(kink, -9))[0] + 1]
            assert np.isnan(between) == (abs(after - before) > 1e-9)


def test_dots_say_what_holds_at_a_jump():
    display = ActivationDisplay.from_name("relu")
    full, ring = display.dots_
    assert full.get_xydata().tolist() == [[0, 0]] and ring.get_xydata().tolist() == [[0, 1]]
    assert ring.get_markerfacecolor() == "white" != full.get_markerfacecolor()
    assert ActivationDisplay.from_name("gelu").dots_ == []
    assert len(ActivationDisplay.from_name("hardshrink").dots_) == 8  # two jumps of both curves
    assert len(ActivationDisplay.from_name("hardshrink", derivative=False).dots_) == 4


def test_the_range_shows_every_kink(activation):
    row = registry.activations[activation]
    display = displayed(activation)
    low, high = display.ax_.get_xlim()
    values = (row.parameters | parameters(activation)).values()
    assert all(low < kink < high for kink in row.kinks_at(*values))


def test_parameters_and_axes_are_the_callers():
    ax = matplotlib.figure.Figure().subplots()
    display = ActivationDisplay.from_name(("leaky_relu", {"negative_slope": 0.5}), ax=ax, derivative=False, color="red")
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert display.derivative_line_ is None and display.line_.get_color() == "red"
    assert display.line_.get_ydata()[0] == -2
    assert "negative_slope=0.5" in display.text_.get_text()
    sine = ActivationDisplay.from_name((np.sin, np.cos))
    np.testing.assert_array_equal(sine.derivative_line_.get_ydata(), np.cos(sine.line_.get_xdata()))


def test_the_grid_shows_the_table():
    grid = ActivationGridDisplay.from_names()
    assert [display.name for display in grid.displays_] == list(registry.activations)
    assert grid.displays_[3].name == "prelu" and grid.displays_[3].parameters == {"weight": 0.25}
    assert sum(ax.axison for ax in grid.axes_.flat) == len(registry.activations)
    small = ActivationGridDisplay.from_names(["swish", ("elu", {"alpha": 2})], columns=2, derivative=False)
    assert [display.name for display in small.displays_] == ["silu", "elu"]
    assert small.axes_.shape == (1, 2) and len(small.legend_.get_texts()) == 1


def legend_of(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def holds(ax, line):
    """Whether the axes show all of the line, or as far as the square below and above the x axis."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    x, y = line.get_data()
    reach = max(abs(left), abs(right))
    y = np.clip(y[np.isfinite(y)], -reach, reach)
    return x[0] >= left and x[-1] <= right and y.min() >= low and y.max() <= high


def test_activations_drawn_onto_each_other():
    first = ActivationDisplay.from_name("relu")
    second = ActivationDisplay.from_name("elu", ax=first.ax_)
    third = ActivationDisplay.from_name("relu6", ax=first.ax_, label="six")
    displays = [first, second, third]
    assert legend_of(third) == ["relu", "elu", "six", "derivative"]
    assert all(display.legend_ is first.ax_.get_legend() for display in displays)
    assert [d.line_.get_color() for d in displays] == list(plot._style.COLORS[:3])
    assert all(d.derivative_line_.get_color() == d.line_.get_color() for d in displays)
    assert all(d.derivative_line_.get_linestyle() == "--" for d in displays)
    assert not any(text.get_text() for text in first.ax_.texts) and first.ax_.get_title(loc="left") == ""
    assert first.ax_.get_xlim() == (-4, 7)  # relu and elu now go as far as relu6
    for display in displays:
        x, y = display.line_.get_data()
        assert (x[0], x[-1]) == (-4, 7) and np.array_equal(y, getattr(pr, display.name)(x))
        assert holds(first.ax_, display.line_) and holds(first.ax_, display.derivative_line_)
    assert [dot.axes is first.ax_ for d in displays for dot in d.dots_] == [True] * 6  # relu's jump; relu6's two


def test_the_look_of_an_activation_is_the_callers():
    ax = matplotlib.figure.Figure().subplots()
    first = ActivationDisplay.from_name("tanh", ax=ax, label="mine", color="black", linewidth=3, x_range=(-2, 2))
    assert first._names[0].get_text() == "mine" and first.line_.get_label() == "mine"
    second = ActivationDisplay.from_name(("leaky_relu", {"negative_slope": 0.2}), ax=ax, derivative=False)
    assert legend_of(second) == ["mine", "leaky_relu(negative_slope=0.2)", "derivative"]
    assert first.derivative_line_.get_color() == "black" and first.line_.get_linewidth() == 3
    assert first.line_.get_xdata()[-1] == 2 and ax.get_xlim() == (-4, 4)
    ax.clear()
    assert ActivationDisplay.from_name("relu", ax=ax).legend_ is None


def test_an_overlay(activation):
    names = {"relu": "relu", "it": (activation, parameters(activation)), "sine": (np.sin, np.cos)}
    overlay = ActivationOverlayDisplay.from_names(names)
    assert legend_of(overlay) == list(names)
    assert [line.get_color() for line in overlay.lines_] == list(plot._style.COLORS[:3])
    for ax, lines, spaces in (
        (overlay.ax_, overlay.lines_, [pr.relu, getattr(pr, activation), np.sin]),
        (
            overlay.derivative_ax_,
            overlay.derivative_lines_,
            [pr.derivative.relu, getattr(pr.derivative, activation), np.cos],
        ),
    ):
        assert len({line.get_linewidth() for line in lines}) == 3  # where they coincide, all are seen
        for line, f, values in zip(lines, spaces, [(), parameters(activation).values(), ()], strict=True):
            x, y = line.get_data()
            np.testing.assert_array_equal(y[np.isfinite(x)], f(x[np.isfinite(x)], *values))
            assert (x[0], x[-1]) == ax.get_xlim() == overlay.ax_.get_xlim() and holds(ax, line)
    matplotlib.pyplot.close()  # undrawn: each of the functions has been by itself, and other overlays are below


@pytest.mark.parametrize("below", [False, True])
def test_derivatives_are_beside_or_below(below):
    overlay = ActivationOverlayDisplay.from_names(["relu", "gelu"], below=below)
    for ax, lines in ((overlay.ax_, overlay.lines_), (overlay.derivative_ax_, overlay.derivative_lines_)):
        assert all(holds(ax, line) for line in lines) and ax.get_xlim() == overlay.ax_.get_xlim()
    one, two = overlay.ax_.get_position(), overlay.derivative_ax_.get_position()
    assert (one.y0 > two.y0) == below and (one.x0 < two.x0) == (not below)


def test_an_overlay_of_functions_alone():
    overlay = ActivationOverlayDisplay.from_names(["relu", ("elu", {"alpha": 2}), "prelu"], derivative=False)
    assert overlay.derivative_ax_ is None and overlay.derivative_lines_ == []
    assert legend_of(overlay) == ["relu", "elu(alpha=2)", "prelu(weight=0.25)"]
    with pytest.raises(ValueError, match="names no activation"):
        ActivationOverlayDisplay.from_names([])


def test_panels_share_their_scale():
    grid = ActivationGridDisplay.from_names(["relu", "relu6", "tanh"])
    assert {ax.get_xlim() for ax in grid.axes_.flat} == {(-4, 7)}
    assert len({ax.get_ylim() for ax in grid.axes_.flat}) == 1
    assert all(holds(d.ax_, line) for d in grid.displays_[1:] for line in (d.line_, d.derivative_line_))
    own = ActivationGridDisplay.from_names(["relu", "relu6", "tanh"], share=False)
    assert len({ax.get_ylim() for ax in own.axes_.flat}) == 3


def test_function_and_derivative_are_told_apart_where_they_coincide():
    [display] = ActivationGridDisplay.from_names(["exponential"]).displays_
    assert display.line_.get_linestyle() == "-" and display.derivative_line_.get_linestyle() == "--"
    assert display.derivative_line_.get_zorder() >= display.line_.get_zorder()
    lines = display.ax_.get_lines()
    assert lines.index(display.derivative_line_) > lines.index(display.line_)


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="'rleu' is not known"):
        ActivationDisplay.from_name("rleu")
    with pytest.raises(ValueError, match="'threshold': 0.25"):
        ActivationDisplay.from_name("threshold")
    with pytest.raises(ValueError, match="'softmax' works along an axis"):
        ActivationDisplay.from_name("softmax")
    with pytest.raises(ValueError, match=r"x_range=\(1, 0\) must be"):
        ActivationDisplay.from_name("relu", x_range=(1, 0))
    for display in (ActivationGridDisplay, ActivationOverlayDisplay):
        with pytest.raises(ValueError, match="names no activation"):
            display.from_names([])
        with pytest.raises(ValueError, match="names='relu' must be a sequence"):
            display.from_names("relu")


ACTIVITY = np.linspace(0, 1, 12).reshape(3, 4)


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda: ActivationDisplay.from_name("relu", ax=3), "ax=3 must be None or a matplotlib Axes"),
        (lambda: GradientNormDisplay({"a": [1, 2]}).plot(ax="axes"), "ax='axes' must be None or a matplotlib Axes"),
        (lambda: LossCurveDisplay({"a": [1, 2]}, {}).plot(ax=3), "ax=3 must be None or a matplotlib Axes"),
        (lambda: LossCurveDisplay({"a": [1, 2]}, {}).plot(validation_ax=3), "ax=3 must be None or a matplotlib Axes"),
        (lambda: ActivationGridDisplay.from_names(["relu"], figure=0), "figure=0 must be None or a matplotlib Figure"),
        (lambda: ActivationOverlayDisplay.from_names(["relu"], figure=0), "figure=0 must be None or a matplotlib Fig"),
        (lambda: UnitActivityDisplay([ACTIVITY]).plot(axes=3), "ax=3 must be None or a matplotlib Axes"),
        (lambda: UnitActivityDisplay([ACTIVITY] * 2).plot(axes=[3]), "one Axes for each of the 2 hidden layers"),
    ],
)
def test_where_to_draw_is_checked(draw, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw()


# ---- fits ----


def test_loss_curves():
    fits = {name: fitted(name) for name in ("relu", "tanh", "sigmoid")}
    display = LossCurveDisplay.from_estimators(fits)
    for line, fit, text in zip(display.lines_, fits.values(), display.texts_, strict=True):
        assert line.get_ydata().tolist() == fit.loss_curve_
        assert line.get_xdata()[0] == 1
        assert text.get_color() == line.get_color()
        assert text.xy == (len(fit.loss_curve_), fit.loss_curve_[-1])
    assert [text.get_text() for text in display.texts_] == list(fits)
    assert display.ax_.get_yscale() == "log" and display.validation_ax_ is None
    (line,) = LossCurveDisplay.from_estimator(fits["relu"], linewidth=3).lines_
    assert line.get_linewidth() == 3
    for activation, name in ((("gelu", "relu"), "gelu, relu"), (("elu", {"alpha": 2}), "elu(alpha=2)")):
        assert LossCurveDisplay.from_estimator(fitted(activation)).texts_[0].get_text() == name
    with pytest.raises(ValueError, match="has no loss_curve_"):
        LossCurveDisplay.from_estimator(fitted(solver="lbfgs"))


def test_the_scores_of_early_stopping_are_below_the_loss():
    fits = {name: fitted(name, early_stopping=True) for name in ("relu", "tanh")} | {"none": fitted("elu")}
    display = LossCurveDisplay.from_estimators(fits)
    assert display.validation_ax_.get_position().y1 < display.ax_.get_position().y0
    assert display.validation_ax_.get_xlim() == display.ax_.get_xlim()
    for line, (name, fit) in zip(display.validation_lines_, list(fits.items())[:2], strict=True):
        assert line.get_ydata().tolist() == fit.validation_scores_ and line.get_label() == name
    assert [line.get_color() for line in display.validation_lines_] == [line.get_color() for line in display.lines_[:2]]
    dots = [line for line in display.validation_ax_.get_lines() if line.get_marker() == "o"]
    for dot, fit in zip(dots, list(fits.values())[:2], strict=True):
        best = int(np.argmax(fit.validation_scores_))
        assert dot.get_xydata().tolist() == [[best + 1, fit.best_validation_score_]]  # epochs count from 1
    upper, lower = matplotlib.figure.Figure().subplots(2)
    assert LossCurveDisplay.from_estimators(fits, ax=upper).validation_ax_ is None
    assert LossCurveDisplay.from_estimators(fits, ax=upper, validation_ax=lower).validation_ax_ is lower


def test_estimators_are_named_by_what_they_differ_in():
    X, y = moons()
    settings = dict(max_iter=2, random_state=0)
    fits = [
        MLPClassifier(hidden_layer_sizes=(4,), activation=activation, alpha=alpha, **settings).fit(X, y)
        for activation in ("relu", "tanh")
        for alpha in (0.1, 1)
    ]
    names = ["relu, alpha=0.1", "relu, alpha=1", "tanh, alpha=0.1", "tanh, alpha=1"]
    assert [text.get_text() for text in LossCurveDisplay.from_estimators(fits).texts_] == names
    assert [text.get_text() for text in GradientNormDisplay.from_estimators(fits, X, y).texts_] == names
    same = LossCurveDisplay.from_estimators([fits[0], fits[0]])
    assert [text.get_text() for text in same.texts_] == ["relu (no. 0)", "relu (no. 1)"]
    assert [text.get_text() for text in LossCurveDisplay.from_estimators(fits[2:3]).texts_] == ["tanh"]


def test_no_name_is_written_over_another():
    fits = {f"fit {i}": fitted(max_iter=2 + i % 2) for i in range(9)}
    display = LossCurveDisplay.from_estimators(fits)
    display.figure_.canvas.draw()
    boxes = [matplotlib.text.Text.get_window_extent(text) for text in display.texts_]  # without the leaders
    for i, box in enumerate(boxes):
        assert not any(box.y0 < other.y1 - 2 and other.y0 < box.y1 - 2 for other in boxes[:i])
    assert len({(line.get_color(), line.get_linestyle()) for line in display.lines_}) == 9
    assert all(text.arrow_patch is not None for text in display.texts_)  # from each line to its name


@pytest.mark.parametrize("wanted", [[0, 0, 0, 0], [100, 100, 99], [50, 3, 51], [-20, 120], [1]])
def test_spread(wanted):
    places = spread(wanted, 10, 100)
    assert np.array_equal(np.argsort(places, kind="stable"), np.argsort(wanted, kind="stable"))
    assert (np.diff(np.sort(places)) >= 10 - 1e-9).all()
    assert places.min() >= 0 and places.max() <= 100


def test_gradient_norms():
    X, y = moons()
    fits = {name: fitted(name, (5, 4, 3)) for name in ("relu", "sigmoid")}
    display = GradientNormDisplay.from_estimators(fits, X, y)
    for line, fit in zip(display.lines_, fits.values(), strict=True):
        assert line.get_xdata().tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(line.get_ydata(), gradient_norms(fit, X, y))
    assert GradientNormDisplay.from_estimator(fits["relu"], X, y, name="mine").texts_[0].get_text() == "mine"


def test_a_gradient_of_zero_is_not_drawn_but_named():
    X, y = moons()
    display = GradientNormDisplay.from_estimators({name: fitted(name) for name in ("relu", "step")}, X, y)
    assert display.lines_[1].get_ydata()[0] == 0
    assert all(np.isfinite(text.xy).all() for text in display.texts_)
    display = GradientNormDisplay({"none": np.zeros(3), "some": np.ones(3)}).plot()
    assert display.texts_[0].xy == (0, display.ax_.get_ylim()[0])


def test_unit_activity():
    X, y = moons()
    recorder = ActivityRecorder(X)
    with pytest.raises(ValueError, match="has recorded nothing yet"):
        UnitActivityDisplay.from_recorder(recorder)
    mlp = MLPClassifier((6, 5), random_state=0)
    for _ in range(4):
        recorder.record(mlp.partial_fit(X, y, classes=[0, 1]))
    mlp.intercepts_[1][2] = -1000
    recorder.record(mlp)
    display = UnitActivityDisplay.from_recorder(recorder)
    drawn = [np.asarray(image.get_array()) for image in display.images_]
    assert [image.shape for image in drawn] == [(6, 5), (5, 5)]
    final = unit_activity(mlp, X)
    for image, activity in zip(drawn, final, strict=True):
        np.testing.assert_array_equal(image[:, -1], np.sort(activity)[::-1])
    assert final[1][2] == 0
    assert display.axes_[1].get_title(loc="left").endswith(f"{np.sum(final[1] == 0)} of 5 silent")
    z = X @ mlp.coefs_[0] + mlp.intercepts_[0]
    np.testing.assert_array_equal(final[0], (z > 0).mean(axis=0))


@pytest.mark.parametrize("name", ["relu", "hardtanh", "hardshrink", "maxout"])
def test_regions_are_coloured_by_the_local_linear_map(name):
    X, _ = moons()
    mlp = fitted(name, solver="lbfgs")
    display = LinearRegionsDisplay.from_estimator(mlp, X, grid_resolution=60)
    for i, j in rng("regions").integers(60, size=(20, 2)):
        W, b = local_linear_map(mlp, [display.xx0[i, j], display.xx1[i, j]])
        np.testing.assert_allclose(display.maps[i, j], W[0], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(display.margins[i, j], (W @ [display.xx0[i, j], display.xx1[i, j]] + b), rtol=1e-9)
    colors = np.asarray(display.image_.get_array())
    assert colors.shape == (60, 60, 3) and (colors >= 0).all() and (colors <= 1).all()
    one_map = display.maps.reshape(-1, 2).round(9)
    assert len(np.unique(one_map, axis=0)) == len(np.unique(np.c_[one_map, colors.reshape(-1, 3)].round(9), axis=0))
    assert display.edges_ and len(display.boundaries_) == 1
    low = X.min(axis=0)
    assert display.image_.get_extent()[0] < low[0] and display.image_.get_extent()[2] < low[1]


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_boundaries_are_where_the_class_changes(n_classes):
    X, y = moons()
    y = y + 2 * (X[:, 0] > 1) * (n_classes > 2) + (X[:, 1] > 1) * (n_classes > 3)
    y = np.unique(y, return_inverse=True)[1]
    mlp = fitted(X=X, y=y, solver="lbfgs", max_iter=300, hidden=(12, 12))
    display = LinearRegionsDisplay.from_estimator(mlp, X, grid_resolution=50)
    points = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    predicted = mlp.predict(points)
    margins = display.margins.reshape(len(points), -1)
    decisions = mlp.classes_[1:] if n_classes == 2 else mlp.classes_
    np.testing.assert_array_equal(margins > 0, predicted[:, np.newaxis] == decisions)
    assert len(display.boundaries_) == len(np.unique(predicted)) - (n_classes == 2) == len(decisions)


def test_regions_have_a_key():
    X, y = moons()
    display = LinearRegionsDisplay.from_estimator(fitted(solver="lbfgs"), X, grid_resolution=20)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("feature 0", "feature 1")
    assert legend_of(display) == ["kink of a unit", "decision boundary"]
    assert display.key_ax_.get_title().startswith("output of class 1")
    [disc] = display.key_ax_.get_images()
    shown = disc.get_array()
    for place, slope in (((100, 190), [0.9, 0]), ((190, 100), [0, 0.9]), ((100, 10), [-0.9, 0])):
        flat = np.array([slope, [1.0, 0.0]])  # the second is the steepest
        np.testing.assert_allclose(shown[place][:3], plot._regions.colors(flat)[0], atol=0.01)


def test_regions_of_a_frame_of_any_scale():
    X, y = moons()
    frame = pandas.DataFrame(X * [1e6, 1e-6], columns=["wide", "narrow"])
    mlp = fitted(X=frame, y=y, max_iter=1)
    display = LinearRegionsDisplay.from_estimator(mlp, frame, grid_resolution=20)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("wide", "narrow")
    low, high = frame.min().to_numpy(), frame.max().to_numpy()
    np.testing.assert_allclose(display.image_.get_extent()[::2], low - 0.15 * (high - low))


def test_regions_of_what_has_none():
    X, y = moons()
    with pytest.raises(ValueError, match="tanh, which is not piecewise linear"):
        LinearRegionsDisplay.from_estimator(fitted("tanh"), X)
    with pytest.raises(ValueError, match="2 features; X has 3"):
        LinearRegionsDisplay.from_estimator(fitted(), np.c_[X, y])
    with pytest.raises(ValueError, match=r"output=1 is not in range\(1\)"):
        LinearRegionsDisplay.from_estimator(fitted(), X, output=1)


def test_decision_boundary_by_scikit_learn():
    X, _ = moons()
    assert DecisionBoundaryDisplay.from_estimator(fitted(), X, response_method="predict").surface_ is not None


def test_a_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(pr.exceptions.MissingExtraError, match="pip install matplotlib"):
        ActivationDisplay.from_name("relu")


def test_public_names():
    assert all(hasattr(plot, name) for name in plot.__all__)
    assert pr.plot is plot


@pytest.mark.parametrize("x_range", [(1,), "ab", 3, (0, np.inf), (np.nan, 1), (-1e308, 1e308), (2, 2), ()])
@pytest.mark.parametrize(
    "draw",
    [
        lambda **keywords: plot.ActivationDisplay.from_name("relu", **keywords),
        lambda **keywords: plot.ActivationOverlayDisplay.from_names(["relu"], **keywords),
        lambda **keywords: plot.ActivationGridDisplay.from_names(["relu"], **keywords),
    ],
)
def test_ranges_that_cannot_be_drawn(draw, x_range):
    with pytest.raises(ValueError, match=r"x_range=.* must be two numbers, the smaller one first"):
        draw(x_range=x_range)


def test_what_there_is_to_draw_is_checked():
    for display in (plot.ActivationOverlayDisplay, plot.ActivationGridDisplay):
        with pytest.raises(ValueError, match=r"names='relu' must be a sequence of activations"):
            display.from_names("relu")
    with pytest.raises(ValueError, match="holds no estimator"):
        plot.LossCurveDisplay.from_estimators({})


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("n", [3, 12, 32])
def test_the_legend_of_an_overlay_fits(n, below):
    display = plot.ActivationOverlayDisplay.from_names(list(pr.activations)[:n], below=below)
    display.figure_.draw_without_rendering()
    extent, figure = display.legend_.get_window_extent(), display.figure_.bbox
    assert extent.x0 >= 0 and extent.x1 <= figure.width
