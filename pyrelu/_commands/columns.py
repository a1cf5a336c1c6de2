"""From the columns of a table to the inputs of a network: what `pyrelu train` learns about columns and saves with the model.

A model file contains only facts: names, medians, categories and date formats. Training and prediction both build the
scikit-learn transformers from these facts, so that they agree and a file needs no code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pyrelu._commands.column_kinds import (
    DATE_FORMATS,
    Kind,
    as_dates,
    as_numbers,
    as_texts,
    not_a_number,
    numeric_columns,
    size_fault,
    sound_numbers,
)
from pyrelu._commands.table_file import PLAIN, Format, Table
from pyrelu._text import shortened
from pyrelu.exceptions import InvalidFileError

if TYPE_CHECKING:
    from pyrelu.tabular import TablePreprocessor

MOST_CATEGORIES = 100  # of a text column; rarer ones are merged
_DAYS_IN_A_YEAR = 365.2425


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
    categories: list[str]


@dataclass
class Date:
    """A column of dates: their format. The inputs are the day and the time of year."""

    name: str
    format: str

    def numbers(self) -> list[str]:
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

    numbers: list[Number]
    texts: list[Text]
    dates: list[Date]
    format: Format = PLAIN  # of the file that the columns come from
    left_out: dict[str, str] = field(default_factory=dict)  # name -> why

    @classmethod
    def learn(cls, frame: Any, kinds: Mapping[str, Kind], format: Format = PLAIN) -> Self:
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
        matrix = matrix_of(frame, names["number"], dates, format)
        missing = np.isnan(matrix)
        numbers = [
            Number(name, float(np.median(x[~gap])) if not gap.all() else 0.0, bool(gap.any()))
            for name, x, gap in zip([*names["number"], *names_of_dates(dates)], matrix.T, missing.T, strict=True)
        ]
        texts, left_out = [], {}
        least = least_frequent(len(frame))
        for name in names["text"]:
            if categories := _categories(as_texts(frame[name]), least):
                texts.append(Text(name, categories))
            else:
                left_out[name] = "its values hardly ever repeat"
        return cls(numbers, texts, dates, format, left_out)

    @classmethod
    def of_numbers(cls, names: Sequence[str]) -> Self:
        """Return the columns of a network that was trained on numbers, of which none may be missing."""
        return cls([Number(name, None, False) for name in names], [], [])

    @classmethod
    def of_preprocessor(cls, preprocessor: TablePreprocessor) -> Self:
        """Return the columns of a fitted TablePreprocessor, none of whose values is known to be missing."""
        numbers, texts, dates = [], [], []
        for facts in preprocessor.columns_:
            if facts["kind"] == "date":
                dates.append(Date(facts["name"], "ISO8601"))
            elif facts["kind"] == "number":
                numbers.append(Number(facts["name"], facts["median"], facts["has_gaps"]))
            else:
                texts.append(Text(facts["name"], facts["levels"]))
        numbers += [Number(name, 0.0, True) for name in names_of_dates(dates)]
        return cls(numbers, texts, dates)

    @property
    def columns(self) -> list[Number | Text | Date]:
        """All of them."""
        return [*self.numbers, *self.texts, *self.dates]

    @property
    def names(self) -> list[str]:
        """The columns that a table must have."""
        from_dates = set(names_of_dates(self.dates))
        return [column.name for column in self.columns if column.name not in from_dates]

    @property
    def inputs(self) -> list[str]:
        """The names of the network's inputs."""
        return [
            *(number.name for number in self.numbers),
            *(f"{number.name} is missing" for number in self.numbers if number.missing),
            *(f"{text.name}={category}" for text in self.texts for category in text.categories),
        ]

    def facts(self) -> dict[str, Any]:
        """Return the facts to save."""
        columns = {key: [asdict(column) for column in getattr(self, key)] for key in ("numbers", "texts", "dates")}
        return columns | {"format": asdict(self.format) | {"missing": list(self.format.missing)}}

    @classmethod
    def from_facts(cls, facts: Any) -> Self:
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
                and all(type(column.name) is str for column in columns.columns)
                and all(type(n.fill) is float and np.isfinite(n.fill) for n in columns.numbers)
                and all(type(n.missing) is bool for n in columns.numbers)
                and all(
                    type(t.categories) is list and t.categories and all(type(c) is str for c in t.categories)
                    for t in columns.texts
                )
                and all(len(set(t.categories)) == len(t.categories) for t in columns.texts)
                and all(date.format in DATE_FORMATS for date in columns.dates)
                and [n.name for n in columns.numbers[len(columns.numbers) - 3 * len(columns.dates) :]]
                == names_of_dates(columns.dates)
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("the description of its columns is not as pyrelu writes it") from error
        if not sound:
            raise ValueError("the description of its columns is not as pyrelu writes it")
        return columns

    def encode(self, frame: Any, format: Format = PLAIN) -> NDArray[np.float64]:
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
            matrix = matrix_of(frame, self._plain_numbers(), self.dates, format)
            filled = all(number.fill is not None for number in self.numbers)
            blocks.append(self._imputer().transform(matrix) if filled else matrix)
        if self.texts:
            texts = np.column_stack([as_texts(frame[text.name]) for text in self.texts])
            blocks.append(self._one_hot().transform(texts))
        return np.hstack(blocks)

    def typed(self, frame: Any, format: Format = PLAIN) -> Any:
        """Return a DataFrame of the columns as what they are: numbers, texts and dates, with missing values.

        Parameters
        ----------
        frame : DataFrame
        format : Format

        Returns
        -------
        DataFrame
        """
        import pandas

        columns: dict[str, NDArray[Any]] = {name: as_numbers(frame[name], format) for name in self._plain_numbers()}
        for text in self.texts:
            texts = as_texts(frame[text.name])
            columns[text.name] = np.where(texts == "", np.array(None), texts)
        for date in self.dates:
            columns[date.name] = as_dates(frame[date.name], date.format).to_numpy()
        return pandas.DataFrame(columns)

    def _plain_numbers(self) -> list[str]:
        """Return the names of the columns of numbers of the table."""
        return [number.name for number in self.numbers[: len(self.numbers) - 3 * len(self.dates)]]

    def _imputer(self) -> Any:
        """Return an imputer with these medians, fitted to a row of medians and a row with gaps where values were missing."""
        from sklearn.impute import SimpleImputer

        medians = np.array([number.fill for number in self.numbers])
        gaps = np.array([number.missing for number in self.numbers])
        return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True).fit(
            np.array([medians, np.where(gaps, np.nan, medians)])
        )

    def _one_hot(self) -> Any:
        from sklearn.preprocessing import OneHotEncoder

        categories = [np.array(text.categories, dtype=object) for text in self.texts]
        encoder = OneHotEncoder(categories=categories, handle_unknown="ignore", sparse_output=False)
        return encoder.fit(np.array([[of_one[0] for of_one in categories]], dtype=object))

    def check(self, table: Table, format: Format = PLAIN) -> list[str]:
        """Check the columns of a table to predict on.

        Returns
        -------
        list of str
            The notes of the table.

        Raises
        ------
        InvalidFileError
            If columns are missing or have another kind than in training; the message names all of them.
        """
        table.check(self.names)
        faults, notes = {}, []
        from_dates = set(names_of_dates(self.dates))
        plain = [number.name for number in self.numbers if number.name not in from_dates]
        complete = table.frame[plain].notna().all()
        usual = {name for name in sound_numbers(table.frame[plain]) if complete[name]}
        for number in self.numbers:
            if number.name in from_dates or number.name in usual:
                continue
            column = table.frame[number.name]
            values, missing = as_numbers(column, format), column.isna().to_numpy()
            wrong = np.flatnonzero(np.isnan(values) & ~missing)
            if len(wrong):
                faults[number.name] = not_a_number(table, number.name, wrong[0], format)
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
            wrong = np.flatnonzero(as_dates(column, date.format).isna().to_numpy() & column.notna().to_numpy())
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


def least_frequent(n_rows: int) -> int:
    """Return how often a text has to occur in so many rows to be a category of its own."""
    return min(10, max(2, n_rows // 200))


def names_of_dates(dates: Sequence[Date]) -> list[str]:
    """Return the names of the columns of numbers that dates become."""
    return [name for date in dates for name in date.numbers()]


def matrix_of(frame: Any, names: Sequence[str], dates: Sequence[Date], format: Format) -> NDArray[np.float64]:
    """Return the numbers of these columns, then those of dates, NaN where missing."""
    matrix = np.empty((len(frame), len(names)))
    numeric = set(numeric_columns(frame[names]))
    at = [i for i, name in enumerate(names) if name in numeric]
    matrix[:, at] = frame[[names[i] for i in at]].to_numpy(dtype=float)
    for i, name in enumerate(names):
        if name not in numeric:
            matrix[:, i] = as_numbers(frame[name], format)
    columns = [matrix]
    for date in dates:
        days = _days(as_dates(frame[date.name], date.format))
        angle = 2 * np.pi * days / _DAYS_IN_A_YEAR
        columns += [days, np.sin(angle), np.cos(angle)]
    return np.column_stack(columns)


def _days(dates: Any) -> NDArray[np.float64]:
    """Return the days since 1970-01-01, with fractions."""
    days = dates.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(days), np.nan, days.astype("int64") / 86_400e6)


def _categories(texts: NDArray[np.object_], least: int) -> list[str]:
    import pandas

    counts = pandas.Series(texts).value_counts()
    return sorted(counts[counts >= least].index[:MOST_CATEGORIES].tolist())
