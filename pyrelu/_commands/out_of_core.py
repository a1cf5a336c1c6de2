"""`pyrelu train --model mlp` on Parquet files, of which a batch is in memory at a time."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrelu._commands import column_kinds, datasets, standardised
from pyrelu._commands.columns import MOST_CATEGORIES, Columns, Number, Text, least_frequent, matrix_of
from pyrelu._commands.parquet_folder import ENDINGS, ParquetFolder, is_large
from pyrelu._commands.table_file import Table
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

SAMPLE = 100_000  # rows by which kinds of columns are told, and of which medians are taken
MOST_SCORED = 100_000  # rows that are held out for early stopping, which stay in memory
MOST_TEXTS = 1_000_000  # different texts of a column that are counted at a time
TRAINING, TEST, SCORED = range(3)

Batch = tuple[NDArray[np.float64], NDArray[Any], NDArray[np.intp]]  # inputs, targets and roles


def is_streamed(path: str) -> bool:
    """Return whether the rows are to be read batch by batch: of folders, and of files that are too large for memory."""
    return os.path.isdir(path) or (path.lower().endswith(ENDINGS) and os.path.isfile(path) and is_large([path]))


class Moments:
    """Number, mean and sum of squared deviations of the columns of a matrix, NaN left out; of all batches so far."""

    def __init__(self) -> None:
        self.n: Any = 0.0  # then, as the others, one for each column
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, matrix: NDArray[np.float64]) -> None:
        """Take further rows into account (Chan, Golub and LeVeque, 1979)."""
        known = ~np.isnan(matrix)
        n = known.sum(axis=0).astype(float)
        mean = np.divide(np.where(known, matrix, 0).sum(axis=0), n, where=n > 0, out=np.zeros(len(n)))
        squares = (np.where(known, matrix - mean, 0) ** 2).sum(axis=0)
        self._merge(n, mean, squares)

    def add_constant(self, n: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        """Take n further rows of one value in each column into account; n may differ from column to column."""
        self._merge(n.astype(float), values, np.zeros(len(values)))

    def _merge(self, n: NDArray[np.float64], mean: NDArray[np.float64], squares: NDArray[np.float64]) -> None:
        total = self.n + n
        share = np.divide(n, total, where=total > 0, out=np.zeros(len(n)))
        step = mean - self.mean
        self.squares = self.squares + squares + step**2 * self.n * share
        self.mean = self.mean + step * share
        self.n = total

    @property
    def scale(self) -> NDArray[np.float64]:
        """The standard deviations, 1 of what does not vary, as StandardScaler has them."""
        variance = self.squares / self.n
        limit = self.n * np.finfo(float).eps * variance + (self.n * self.mean * np.finfo(float).eps) ** 2
        return np.where(variance <= limit, 1.0, np.sqrt(variance))


class FolderRows:
    """The rows of a folder: what is learned of them, a fit, and scores, each of which reads the files again.

    Parameters
    ----------
    path : str
    target : str
    test_size : float
    seed : int or None
    **reading
        As `datasets.from_file` takes them.

    Attributes
    ----------
    target : str
    classification : bool
    classes : ndarray of str
        Those of the rows to train on.
    columns : Columns
    notes : list of str
    counts : ndarray of int
        How many rows there are to train on, to test on, and to score during the fit.
    """

    def __init__(self, path: str, target: str, test_size: float, seed: int | None, **reading: Any) -> None:
        self.folder = ParquetFolder(path, reading["format"])
        self.target, self.format, self.drop_missing = target, reading["format"], reading["drop_missing"]
        self.test_size, self.scored_share = test_size, 0.0
        self.seed: Any = np.random.SeedSequence().entropy if seed is None else seed
        sample = self._sample()
        sample.check([target])
        if self.drop_missing:
            has_target = sample.frame[target].notna().to_numpy()
            if not has_target.any():
                raise InvalidFileError(path, f"column {target!r} has no values in the first rows of its files")
            rows, place = np.flatnonzero(has_target), sample.place
            sample = replace(
                sample, frame=sample.frame.iloc[rows].reset_index(drop=True), place=lambda row: place(rows[row])
            )
        data = datasets.of_table(sample, target, **reading)
        assert data.kinds is not None  # as the data are of a table
        self.kinds, self.notes, self.classification = data.kinds, data.notes, data.classification
        self._few = reading["task"] == "auto" and self.classification and _are_numbers(data.y)
        self._usual = Columns.learn(data.X, self.kinds, self.format)
        for number in self._usual.numbers:
            number.missing = True  # so that no note says that in the sample none was
        if not self._usual.names:
            raise InvalidFileError(path, f"has no column to predict {target!r} from")

    def _sample(self) -> Table:
        """Return the first rows of each file as one Table."""
        import pandas

        tables = list(self.folder.batches(most=-(-SAMPLE // len(self.folder.files))))
        frame = pandas.concat([table.frame for table in tables], ignore_index=True)
        ends = np.cumsum([len(table.frame) for table in tables])

        def place(row: int) -> str:
            i = int(np.searchsorted(ends, row, side="right"))
            return f"{self._name(tables[i])} {tables[i].where(row - ends[i] + len(tables[i].frame))}"

        return Table(self.folder.path, frame, self.folder.header, place, breaks=len(self.folder.files) - 1)

    def _name(self, table: Table) -> str:
        return (
            os.path.basename(table.path)
            if table.path == self.folder.path
            else os.path.relpath(table.path, self.folder.path)
        )

    # ---- what is learned ----

    def learn(self, mlp: Any) -> None:
        """Go through all rows once: check them, and learn categories, medians, scales and classes of those to train on."""
        if mlp.early_stopping and mlp.solver != "lbfgs":
            n_training = self.folder.n_rows * (1 - self.test_size)
            self.scored_share = min(mlp.validation_fraction, MOST_SCORED / n_training)
        names = [number.name for number in self._usual.numbers]
        plain, dates = names[: len(names) - 3 * len(self._usual.dates)], self._usual.dates
        texts = {name: Counter[str]() for name in [*(text.name for text in self._usual.texts), *self._usual.left_out]}
        moments, targets, labels = Moments(), Moments(), Counter[str]()
        self.counts, missing, some, dropped = np.zeros(3, int), np.zeros(len(names), int), [], 0
        share = SAMPLE / max(self.folder.n_rows, SAMPLE)
        generator = np.random.default_rng([self.seed, len(self.folder.files)])
        for table, y, roles, n_dropped in self._tables():
            self._usual.check(table, self.format)
            dropped += n_dropped
            self.counts += np.bincount(roles, minlength=3)
            training = roles == TRAINING
            frame = table.frame[training]
            if not len(frame):
                continue
            matrix = matrix_of(frame, plain, dates, self.format)
            moments.add(matrix)
            missing += np.isnan(matrix).sum(axis=0)
            some.append(matrix[generator.random(len(matrix)) < share])
            for name, counts in texts.items():
                values, n = np.unique(column_kinds.as_texts(frame[name]).astype(str), return_counts=True)
                counts.update(dict(zip(values.tolist(), n.tolist(), strict=True)))
                if len(counts) > MOST_TEXTS:  # the rarest cannot be categories
                    texts[name] = Counter(dict(counts.most_common(MOST_TEXTS // 2)))
            if self.classification:
                labels.update(y[training].tolist())
                if self._few and len(labels) > datasets.MOST_CLASSES:
                    raise InvalidFileError(
                        self.folder.path,
                        f"column {self.target!r} holds {datasets.MOST_CLASSES} different integers or fewer in the first rows "
                        "of its files, and more in the others; give --task classification or --task regression",
                    )
            else:
                targets.add(y[training, np.newaxis])
        self._check_counts()
        if dropped:
            what = "rows have" if dropped > 1 else "row has"
            self.notes.append(
                f"{dropped} {what} no value of {self.target!r} and {'are' if dropped > 1 else 'is'} left out"
            )
        self._conclude(names, texts, missing, np.concatenate(some), moments, labels, targets)

    def _check_counts(self) -> None:
        for role, option in ((TEST, f"--test-size {self.test_size:g}"), (SCORED, "early_stopping=True")):
            if (self.test_size, self.scored_share)[role - 1] and self.counts[role] < 1 + (role == SCORED):
                raise InvalidParameterError(f"{option} leaves {self.counts[role]} of {self.counts.sum()} rows to score")
        if not self.counts[TRAINING]:
            raise InvalidParameterError(
                f"--test-size {self.test_size:g} leaves no row to train on of {self.counts.sum()} rows"
            )

    def _conclude(
        self,
        names: Sequence[str],
        texts: Mapping[str, Counter[str]],
        missing: NDArray[np.intp],
        some: NDArray[np.float64],
        moments: Moments,
        labels: Counter[str],
        targets: Moments,
    ) -> None:
        medians = np.zeros(len(names))
        for j, column in enumerate(some.T):
            known = column[~np.isnan(column)]
            medians[j] = np.median(known) if len(known) else moments.mean[j]
        numbers = [
            Number(name, float(median), bool(n)) for name, median, n in zip(names, medians, missing, strict=True)
        ]
        least, kept, left_out = least_frequent(int(self.counts[TRAINING])), [], {}
        for name, counts in texts.items():
            frequent = [text for text, n in counts.most_common(MOST_CATEGORIES) if n >= least]
            if frequent:
                kept.append(Text(name, sorted(frequent)))
            else:
                left_out[name] = "its values hardly ever repeat"
        self.columns = Columns(numbers, kept, self._usual.dates, self.format, left_out)
        if not self.columns.names:
            raise InvalidFileError(self.folder.path, f"has no column to predict {self.target!r} from")
        moments.add_constant(missing, medians)
        n = len(self.columns.inputs)
        self.mean, self.scale = np.zeros(n), np.ones(n)
        self.mean[: len(names)], self.scale[: len(names)] = moments.mean, moments.scale
        self.classes: NDArray[Any] | None = None
        if self.classification:
            self.classes, n_rows = np.array(sorted(labels)), np.array([labels[label] for label in sorted(labels)])
            self.notes += datasets.check_classes(self.folder.path, self.target, self.classes, n_rows)
        else:
            self.target_moments = targets

    # ---- rows ----

    def _tables(self) -> Iterator[tuple[Table, NDArray[Any], NDArray[np.intp], int]]:
        """Yield Tables, their targets, what each row is for, and how many rows were left out; the same ones each time."""
        file, number = None, -1
        for table in self.folder.batches():
            if table.path != file:
                file, number = table.path, number + 1
                generator = np.random.default_rng([self.seed, number])
            chance = generator.random(len(table.frame))
            column = table.frame[self.target]
            has_target = column.notna().to_numpy()
            if not has_target.all():
                if not self.drop_missing:
                    raise InvalidFileError(
                        table.path,
                        f"{table.where(int(np.argmin(has_target)))}, column {self.target!r}: the value to predict is "
                        "missing; --drop-missing leaves such rows out",
                    )
                rows, whole = np.flatnonzero(has_target), table
                table = replace(
                    table,
                    frame=table.frame.iloc[rows].reset_index(drop=True),
                    place=partial(_place, whole, rows),
                )
                chance = chance[rows]
            if not len(table.frame):
                continue
            test, scored = self.test_size, self.scored_share
            roles = np.where(chance < test, TEST, np.where(chance < test + (1 - test) * scored, SCORED, TRAINING))
            yield table, self._targets(table), roles, int((~has_target).sum())

    def _targets(self, table: Table) -> NDArray[Any]:
        texts = column_kinds.as_texts(table.frame[self.target])
        if self.classification:
            return texts.astype(str)
        numbers = column_kinds.as_numbers(table.frame[self.target], self.format)
        if len(wrong := np.flatnonzero(np.isnan(numbers))):
            raise InvalidFileError(
                table.path, column_kinds.not_a_number(table, self.target, int(wrong[0]), self.format)
            )
        if fault := column_kinds.size_fault(table, self.target, numbers):
            raise InvalidFileError(table.path, fault)
        return numbers

    def _encoded(self, *roles: int) -> Iterator[Batch]:
        """Yield for each batch the inputs, the targets and the roles of the rows that have one of these roles."""
        for table, y, of_rows, _ in self._tables():
            rows = np.isin(of_rows, roles)
            if rows.any():
                yield self.columns.encode(table.frame[rows], self.format), y[rows], of_rows[rows]

    # ---- fits and scores ----

    def fit(self, mlp: Any) -> None:
        """Train; let the weights take raw numbers then, as `standardised.fit` does."""
        target = None
        if standardised.scales_target(mlp):
            target = self.target_moments.mean, self.target_moments.scale

        def standard(batch: Batch) -> tuple[NDArray[np.float64], NDArray[Any]]:
            X, y, _ = batch
            return (X - self.mean) / self.scale, y if target is None else (y - target[0]) / target[1]

        eval_set = None
        if self.counts[SCORED]:
            eval_set = tuple(map(np.concatenate, zip(*map(standard, self._encoded(SCORED)), strict=True)))
        mlp.fit_batches(lambda: map(standard, self._encoded(TRAINING)), classes=self.classes, eval_set=eval_set)
        standardised.fold(mlp, self.mean, self.scale, target)

    def scores(self, mlp: Any) -> dict[str, float]:
        """Return the score of the rows to train on, and of those to test on; NaN where it is undefined."""
        right, moments = np.zeros(3), [Moments(), Moments(), Moments()]
        for X, y, roles in self._encoded(TRAINING, TEST):
            errors = mlp.predict(X) == y if self.classification else (mlp.predict(X) - y) ** 2
            right += np.bincount(roles, errors, minlength=3)
            if not self.classification:
                for role in np.unique(roles):
                    moments[role].add(y[roles == role, np.newaxis])
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.classification:
                of_roles = right / self.counts
            else:
                spread = np.array([np.sum(of.squares) if of.n else np.nan for of in moments])
                of_roles = np.where(spread > 0, 1 - right / spread, np.nan)
        return {"training": of_roles[TRAINING], "test": of_roles[TEST]}


def _place(whole: Table, rows: NDArray[np.intp], row: int) -> str:
    return whole.where(rows[row])


def _are_numbers(labels: NDArray[Any]) -> bool:
    return all(map(column_kinds.is_number, np.unique(labels)))
