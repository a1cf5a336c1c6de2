"""From a table's columns to a network's inputs: what `pyrelu train` learns about columns and saves with the model.

A file holds facts only: names, medians, categories, date formats. The scikit-learn transformers that apply them are built
from these facts, in training as in prediction, so that both agree and a file needs no code.
"""

import re
from dataclasses import asdict, dataclass, field

import numpy as np

from pyrelu._commands.table_file import PLAIN, Format
from pyrelu._text import MOST_NAMED, number_as_text, shortened
from pyrelu.exceptions import InvalidFileError

MOST_CATEGORIES = 100  # of a text column; rarer ones are merged
MOSTLY = 0.9  # a column with this share of numbers is numeric, with mistakes
LIMIT = 1e150  # the square of a larger number may overflow
DATE_FORMATS = (
    "ISO8601",
    "%Y/%m/%d",
    "%m/%d/%Y",  # month first takes precedence, as in pandas
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)
_DAYS_IN_A_YEAR = 365.2425
_ALMOST_A_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\d[\d.,'\u00a0 ]*([eE][-+]?\d+)?\s*[%$€£¥]?\)?")


# ---- what a column holds ----


@dataclass
class Kind:
    """What a column holds.

    Attributes
    ----------
    name : str
        "number", "text", "date" or "nothing".
    format : str
        Of dates.
    fault : str or None
        An error in the column, with its place.
    note : str or None
        A message for the user.
    """

    name: str
    format: str = ""
    fault: str | None = None
    note: str | None = None


def kinds_of(table, names, texts, format):
    """Return the Kind of each column by name; columns that the user calls text are text."""
    usual = _usual(table.frame[names])
    return {
        name: Kind("text") if name in texts else Kind("number") if name in usual else kind_of(table, name, format)
        for name in names
    }


def _usual(frame):
    """Return the names of the columns of numbers with nothing to say of them; for speed, as tables can be wide."""
    names = _numeric(frame)
    with np.errstate(invalid="ignore"):
        matrix = np.abs(frame[names].to_numpy(dtype=float))
        sound = (matrix <= LIMIT).any(axis=0) & ~(matrix > LIMIT).any(axis=0)
    return {name for name, is_sound in zip(names, sound, strict=True) if is_sound}


def _numeric(frame):
    """Return the names of the columns that pandas has as NumPy's numbers or booleans."""
    return [name for name, of in frame.dtypes.items() if isinstance(of, np.dtype) and of.kind in "biuf"]


def kind_of(table, name, format):
    """Return the Kind of a column.

    Parameters
    ----------
    table : Table
    name : str
    format : Format

    Returns
    -------
    Kind
    """
    import pandas

    column = table.frame[name]
    if column.isna().all():
        return Kind("nothing", note=f"column {name!r} is empty and is left out")
    if pandas.api.types.is_datetime64_any_dtype(column):
        return Kind("date", "ISO8601")
    numbers = as_numbers(column, format)
    wrong = np.isnan(numbers) & column.notna().to_numpy()
    if not wrong.any():
        return Kind("number", fault=size_fault(table, name, numbers))
    texts = pandas.Series(as_texts(column)[column.notna().to_numpy()])
    counts = texts.value_counts()
    if (date_format := _date_format(counts.index)) is not None:
        return Kind("date", date_format)
    odd = [text for text in counts.index if not is_number(text, format)]
    like = counts.drop(odd).sum() + sum(counts[text] for text in odd if almost_a_number(text))
    meant = like >= MOSTLY * len(texts) or (len(odd) == 1 and like >= len(texts) / 2)  # one that stands for missing
    few = len(counts) <= MOST_NAMED and len(texts) >= 5 * len(counts)  # such as 0, 1, 2, 3+
    if meant and not few:
        return Kind("number", fault=_not_a_number(table, name, np.flatnonzero(wrong)[0], format))
    share = 1 - wrong.sum() / len(texts)
    mixed = "numbers and text" if share > 0.5 else "dates written in different ways" if _are_dates(counts.index) else ""
    return Kind("text", note=f"column {name!r} mixes {mixed} and is treated as text" if mixed else None)


def _not_a_number(table, name, row, format):
    text = as_texts(table.frame[name].iloc[[row]])[0]
    return f"{table.where(row)}, column {name!r}: {shortened(text)} is not a number{advice(text, format)}"


def advice(text, format):
    """Say which option reads a number that is written like this."""
    if sign := re.search(r"[$€£¥%]", text):
        return f" (remove the {sign[0]})"
    if format.thousands is None and re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        return " (try --thousands ,)"
    if format.decimal == "." and re.fullmatch(r"[-+]?[\d.]*,\d+", text):
        return " (try --decimal ,)"
    return ""


def size_fault(table, name, numbers):
    with np.errstate(invalid="ignore"):
        large = np.flatnonzero(np.abs(numbers) > LIMIT)
    if not len(large):
        return None
    value = numbers[large[0]]
    where = f"{table.where(large[0])}, column {name!r}:"
    return (
        f"{where} {value:g} is not finite" if np.isinf(value) else f"{where} {value:g} is not below {LIMIT:g} in size"
    )


def is_number(text, format=PLAIN):
    """Tell whether a text is a number."""
    import pandas

    return bool(pandas.notna(_parsed(pandas.Series([text], dtype=object), format)[0]))


def almost_a_number(text):
    """Tell whether a text is meant to be a number, as in $21.00.

    Examples
    --------
    >>> almost_a_number("$21.00"), almost_a_number("21,0"), almost_a_number("18-25"), almost_a_number("A 21")
    (True, True, False, False)
    """
    return _ALMOST_A_NUMBER.fullmatch(text) is not None


def as_numbers(column, format=PLAIN):
    """Return a column as floats; what is none is NaN."""
    from pandas.api import types

    if types.is_bool_dtype(column) or types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    present = column.dropna()
    if len(present) and all(isinstance(value, bool | np.bool_) for value in present):
        return np.array([np.nan if value is None or value != value else float(value) for value in column])
    return _parsed(column, format)


def _parsed(texts, format):
    import pandas

    texts = texts.astype(object)
    if format.thousands:
        texts = texts.map(lambda text: text.replace(format.thousands, "") if isinstance(text, str) else text)
    if format.decimal != ".":
        texts = texts.map(lambda text: text.replace(format.decimal, ".") if isinstance(text, str) else text)
    return pandas.to_numeric(texts, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def as_texts(column):
    """Return a column as text; what is missing is empty."""
    from pandas.api import types

    if types.is_float_dtype(column):
        texts = [number_as_text(v) for v in column.fillna(0)]
    else:
        texts = column.astype(object).map(lambda value: str(value).strip()).tolist()
    return np.where(column.isna().to_numpy(), "", np.array(texts, dtype=object))


def _date_format(texts):
    import pandas

    texts = pandas.Series(texts, dtype=object)
    if not texts.str.contains(r"\d", regex=True).all() or not texts.str.len().between(6, 40).all():
        return None
    for date_format in DATE_FORMATS:
        if _as_dates(texts.head(100), date_format).notna().all() and _as_dates(texts, date_format).notna().all():
            return date_format
    return None


def _are_dates(texts):
    """Tell whether each text is a date, in whatever format."""
    import pandas

    texts = pandas.Series(texts[:100], dtype=object)
    if not texts.str.contains(r"\d", regex=True).all():
        return False
    return bool(np.any([_as_dates(texts, date_format).notna() for date_format in DATE_FORMATS], axis=0).all())


def _as_dates(column, date_format):
    import pandas
    from pandas.api import types

    if types.is_datetime64_any_dtype(column):
        return column.dt.tz_convert(None) if getattr(column.dt, "tz", None) is not None else column
    dates = pandas.to_datetime(
        pandas.Series(as_texts(column)).replace("", None), format=date_format, errors="coerce", utc=True
    )
    return dates.dt.tz_localize(None)


def raise_faults(path, faults):
    """Raise InvalidFileError with the faults of all columns, given as name -> fault."""
    if not faults:
        return
    shown = list(faults.values())[:5]
    names = list(faults)[:MOST_NAMED]
    more = f"; and {len(faults) - len(shown)} more columns" if len(faults) > len(shown) else ""
    raise InvalidFileError(
        path,
        "; ".join(shown) + f"{more}. If such a value stands for a missing one, name it with --missing; to take columns "
        f"as text, or to leave them out, give --text or --ignore {quoted(','.join(names))}",
    )


def quoted(text):
    """Return text as a shell takes it."""
    import shlex

    return shlex.quote(text)


# ---- the inputs of a network ----


@dataclass
class Number:
    """A column of numbers or booleans: its median, and whether values were missing, which adds an input."""

    name: str
    fill: float | None  # None: no value may be missing
    missing: bool


@dataclass
class Text:
    """A column of text: its categories. Unknown and rare values are equivalent; a missing value is an empty text."""

    name: str
    categories: list


@dataclass
class Date:
    """A column of dates: their format. The inputs are the day and the time of year."""

    name: str
    format: str

    def numbers(self):
        """Return the names of its columns of numbers."""
        return [f"{self.name} (day)", f"{self.name} (sine of the year)", f"{self.name} (cosine of the year)"]


@dataclass
class Columns:
    """How the columns of a table become a network's inputs.

    Attributes
    ----------
    numbers : list of Number
        Those of the table, then three for each date.
    texts : list of Text
    dates : list of Date
    """

    numbers: list
    texts: list
    dates: list
    format: Format = PLAIN  # how the file was written that they come from
    left_out: dict = field(default_factory=dict)  # name -> why

    @classmethod
    def learn(cls, frame, kinds, format=PLAIN):
        """Learn medians and categories.

        Parameters
        ----------
        frame : DataFrame
            The rows to train on.
        kinds : dict of str: Kind
        format : Format
        """
        names = {what: [n for n, kind in kinds.items() if kind.name == what] for what in ("number", "text", "date")}
        dates = [Date(name, kinds[name].format) for name in names["date"]]
        matrix = _matrix(frame, names["number"], dates, format)
        missing = np.isnan(matrix)
        numbers = [
            Number(name, float(np.median(x[~gap])) if not gap.all() else 0.0, bool(gap.any()))
            for name, x, gap in zip([*names["number"], *_of_dates(dates)], matrix.T, missing.T, strict=True)
        ]
        texts, left_out = [], {}
        least = min(10, max(2, len(frame) // 200))
        for name in names["text"]:
            if categories := _categories(as_texts(frame[name]), least):
                texts.append(Text(name, categories))
            else:
                left_out[name] = "its values hardly ever repeat"
        return cls(numbers, texts, dates, format, left_out)

    @classmethod
    def of_numbers(cls, names):
        """Return the columns of a network that was trained on numbers: none may be missing."""
        return cls([Number(name, None, False) for name in names], [], [])

    @property
    def names(self):
        """The columns that a table must have."""
        from_dates = set(_of_dates(self.dates))
        return [column.name for column in (*self.numbers, *self.texts, *self.dates) if column.name not in from_dates]

    @property
    def inputs(self):
        """The names of the network's inputs."""
        return [
            *(number.name for number in self.numbers),
            *(f"{number.name} is missing" for number in self.numbers if number.missing),
            *(f"{text.name}={category}" for text in self.texts for category in text.categories),
        ]

    def facts(self):
        """Return the facts to save."""
        columns = {key: [asdict(column) for column in getattr(self, key)] for key in ("numbers", "texts", "dates")}
        return columns | {"format": asdict(self.format) | {"missing": list(self.format.missing)}}

    @classmethod
    def from_facts(cls, facts):
        """Return the Columns of saved facts; raise ValueError if they are invalid."""
        try:
            columns = cls(
                [Number(**fact) for fact in facts["numbers"]],
                [Text(**fact) for fact in facts["texts"]],
                [Date(**fact) for fact in facts["dates"]],
                Format(**facts["format"] | {"missing": tuple(facts["format"]["missing"])}),
            )
            sound = (
                columns.format.is_sound()
                and all(type(column.name) is str for column in (*columns.numbers, *columns.texts, *columns.dates))
                and all(type(n.fill) is float and type(n.missing) is bool for n in columns.numbers)
                and all(np.isfinite(n.fill) for n in columns.numbers)
                and all(
                    type(t.categories) is list and t.categories and all(type(c) is str for c in t.categories)
                    for t in columns.texts
                )
                and all(len(set(t.categories)) == len(t.categories) for t in columns.texts)
                and all(date.format in DATE_FORMATS for date in columns.dates)
                and [n.name for n in columns.numbers[len(columns.numbers) - 3 * len(columns.dates) :]]
                == _of_dates(columns.dates)
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("the description of its columns is not as pyrelu writes it") from error
        if not sound:
            raise ValueError("the description of its columns is not as pyrelu writes it")
        return columns

    def encode(self, frame, format=PLAIN):
        """Return the network's inputs.

        Parameters
        ----------
        frame : DataFrame
        format : Format

        Returns
        -------
        ndarray of shape (n_rows, n_inputs)
        """
        if not len(frame):
            return np.empty((0, len(self.inputs)))
        blocks = [np.empty((len(frame), 0))]
        if self.numbers:
            plain = [n.name for n in self.numbers[: len(self.numbers) - 3 * len(self.dates)]]
            matrix = _matrix(frame, plain, self.dates, format)
            filled = all(number.fill is not None for number in self.numbers)
            blocks.append(self._imputer().transform(matrix) if filled else matrix)
        if self.texts:
            texts = np.column_stack([as_texts(frame[text.name]) for text in self.texts])
            blocks.append(self._one_hot().transform(texts))
        return np.hstack(blocks)

    def _imputer(self):
        """Return the imputer with these medians: fitted to one row of them, and to one that lacks what was missing."""
        from sklearn.impute import SimpleImputer

        medians = np.array([number.fill for number in self.numbers])
        gaps = np.array([number.missing for number in self.numbers])
        return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True).fit(
            np.array([medians, np.where(gaps, np.nan, medians)])
        )

    def _one_hot(self):
        from sklearn.preprocessing import OneHotEncoder

        categories = [np.array(text.categories, dtype=object) for text in self.texts]
        encoder = OneHotEncoder(categories=categories, handle_unknown="ignore", sparse_output=False)
        return encoder.fit(np.array([[of_one[0] for of_one in categories]], dtype=object))

    def check(self, table, format=PLAIN):
        """Check the columns of a table to predict on.

        Returns
        -------
        list of str
            What is to be said of it.

        Raises
        ------
        InvalidFileError
            Where a column is not there, or does not hold what it held in training; the message names all of them.
        """
        table.check(self.names)
        faults, notes = {}, []
        from_dates = set(_of_dates(self.dates))
        plain = [number.name for number in self.numbers if number.name not in from_dates]
        complete = table.frame[plain].notna().all()
        usual = {name for name in _usual(table.frame[plain]) if complete[name]}
        for number in self.numbers:
            if number.name in from_dates or number.name in usual:
                continue
            column = table.frame[number.name]
            values, missing = as_numbers(column, format), column.isna().to_numpy()
            wrong = np.flatnonzero(np.isnan(values) & ~missing)
            if len(wrong):
                faults[number.name] = _not_a_number(table, number.name, wrong[0], format)
            elif number.fill is None and missing.any():
                where = table.where(np.flatnonzero(missing)[0])
                faults[number.name] = f"{where}, column {number.name!r}: the value is missing"
            elif fault := size_fault(table, number.name, values):
                faults[number.name] = fault
            elif missing.any() and not number.missing:
                count = f"{missing.sum()} values are" if missing.sum() > 1 else "a value is"
                notes.append(
                    f"column {number.name!r}: {count} missing, unlike in training; the median, {number.fill:g}, is used"
                )
        for date in self.dates:
            column = table.frame[date.name]
            wrong = np.flatnonzero(_as_dates(column, date.format).isna().to_numpy() & column.notna().to_numpy())
            if len(wrong):
                text = as_texts(column.iloc[[wrong[0]]])[0]
                pattern = "YYYY-MM-DD" if date.format == "ISO8601" else date.format
                faults[date.name] = (
                    f"{table.where(wrong[0])}, column {date.name!r}: {shortened(text)} is not a date as in training "
                    f"({pattern})"
                )
        if faults:
            more = f"; and {len(faults) - 5} more columns" if len(faults) > 5 else ""
            raise InvalidFileError(table.path, "; ".join(list(faults.values())[:5]) + more)
        return notes


def _of_dates(dates):
    return [name for date in dates for name in date.numbers()]


def _matrix(frame, names, dates, format):
    matrix = np.empty((len(frame), len(names)))
    numeric = set(_numeric(frame[names]))
    at = [i for i, name in enumerate(names) if name in numeric]
    matrix[:, at] = frame[[names[i] for i in at]].to_numpy(dtype=float)
    for i, name in enumerate(names):
        if name not in numeric:
            matrix[:, i] = as_numbers(frame[name], format)
    columns = [matrix]
    for date in dates:
        days = _days(_as_dates(frame[date.name], date.format))
        angle = 2 * np.pi * days / _DAYS_IN_A_YEAR
        columns += [days, np.sin(angle), np.cos(angle)]
    return np.column_stack(columns)


def _days(dates):
    """Return the days since 1970-01-01, with fractions."""
    days = dates.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(days), np.nan, days.astype("int64") / 86_400e6)


def _categories(texts, least):
    import pandas

    counts = pandas.Series(texts).value_counts()
    return sorted(counts[counts >= least].index[:MOST_CATEGORIES].tolist())
