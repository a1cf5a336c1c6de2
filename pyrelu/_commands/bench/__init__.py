"""`pyrelu bench`: the time of pyrelu and of what else is installed, measured in turn in one process.

`timing` measures, `peers` knows who is compared, `functions`, `values`, `memory`, `fit` and `estimators` are the
subjects, `report`
prints. Nothing of this is loaded by `import pyrelu`.
"""

from importlib import import_module

from pyrelu._commands.options import check_output
from pyrelu.exceptions import InvalidParameterError

SUBJECTS = {
    "functions": ("names", "namespace", "dtype", "n", "threads", "seconds"),
    "values": ("names", "namespace", "dtype", "n", "seconds"),
    "memory": ("names", "n", "seconds"),
    "fit": ("names", "threads", "activation"),
    "estimators": ("names", "threads"),
}


def command(options):
    """Run `pyrelu bench`."""
    if options.plot:  # what would fail at the end fails here
        from pyrelu.plot._style import new_figure, picture_format

        check_output(options.plot)
        picture_format(new_figure(), options.plot)
    names = ("namespace", "dtype", "n", "threads", "seconds", "activation")
    report = run(options.what, **{name: getattr(options, name) for name in names})
    print(report.json() if options.json else report.text())
    if options.plot:
        report.draw(options.plot)
    return 0


def run(words, **options):
    """Measure one subject.

    Parameters
    ----------
    words : list of str
        The subject, "functions" where it is left out, and the names of functions (of networks for "fit"); none
        means all.
    **options
        What the subject takes: see SUBJECTS. None means the default.

    Returns
    -------
    pyrelu._commands.bench.report.Report

    Raises
    ------
    InvalidParameterError
        Where a name is not known, or an option has no meaning for the subject.
    """
    subject, names = (words[0], words[1:]) if words and words[0] in SUBJECTS else ("functions", words)
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in SUBJECTS[subject]:
            allowed = ", ".join(f"--{option}" for option in SUBJECTS[subject][1:])
            raise InvalidParameterError(f"--{key} has no meaning for {subject}; it takes {allowed}")
    return import_module(f"pyrelu._commands.bench.{subject}").run(names, **given)


def chosen(names, known, what):
    """Return the names asked for, all that are known where none is.

    Parameters
    ----------
    names, known : sequence of str
        Those asked for, and those there are.
    what : str
        What they name, for the message.

    Raises
    ------
    InvalidParameterError
        Where one is not known; the message lists those that are.
    """
    for name in names:
        if name not in known:
            raise InvalidParameterError(f"{name!r} is not {what}; there are {', '.join(known)}")
    return list(names or known)
