"""Parquet files as one table, of which a batch of rows is in memory at a time."""

import json
import os
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from pyrelu._commands.table_file import PLAIN, Format, Table, first_line
from pyrelu._text import listed
from pyrelu.exceptions import InvalidFileError, MissingExtraError

ENDINGS = (".parquet", ".pq")
BATCH = 65_536  # rows that are read at a time

Types = dict[str, Any]  # name of a column -> DataType of pyarrow


class ParquetFolder:
    """The files of a folder and of the folders in it, in the order of their names.

    Names that begin with "." or "_" are passed over, as Spark and Hive mean them. Folders that are called NAME=VALUE add a
    column of this name to the files in them.

    Parameters
    ----------
    path : str
        The folder, or one file.
    format : Format
        Of which `missing` alone matters.

    Attributes
    ----------
    files : list of str
    header : list of str
        The names of the columns.
    n_rows : int

    Raises
    ------
    InvalidFileError
        If there are no files, one of them is damaged, or their columns differ.
    MissingExtraError
        If pyarrow is not installed.
    """

    def __init__(self, path: str, format: Format = PLAIN) -> None:
        _check_packages()
        import pyarrow

        self.path, self.format = path, format
        self.files = _files(path) if os.path.isdir(path) else [path]
        if not self.files:
            raise InvalidFileError(path, f"is a folder without a file whose name ends in {' or '.join(ENDINGS)}")
        self._types, self.n_rows, first = {}, 0, None
        for file in self.files:
            with _open(file) as parquet:
                types = _types(parquet.schema_arrow) | dict.fromkeys(_of_folders(path, file), pyarrow.string())
                self.n_rows += parquet.metadata.num_rows
            if first is None:
                self._types, first = types, file
            else:
                self._types = _common(self._types, types, first, file)
        self.header = [name.strip() for name in self._types]
        if not self.n_rows:
            raise InvalidFileError(path, "has files of Parquet, but no rows")

    def batches(self, most: int | None = None) -> Iterator[Table]:
        """Yield Tables of up to BATCH rows, the same ones each time; with `most`, of the first rows of each file.

        Parameters
        ----------
        most : int, default=None
            The rows to read of each file; None: all.
        """
        for file in self.files:
            start = 0
            with _open(file) as parquet:
                batches = parquet.iter_batches(BATCH if most is None else max(1, min(most, BATCH)))
                while (batch := _next(file, batches)) is not None:
                    frame = self._frame(file, batch)
                    yield Table(file, frame, self.header, partial(_place, start))
                    start += len(frame)
                    if most is not None and start >= most:
                        break

    def _frame(self, file: str, batch: Any) -> Any:
        """Return a batch as a DataFrame, whose columns have the types that all files have in common."""
        import pyarrow

        folders = _of_folders(self.path, file)
        arrays = []
        for name, of in self._types.items():
            if name in folders:
                arrays.append(pyarrow.array([folders[name]] * batch.num_rows, of))
            else:
                arrays.append(batch.column(batch.schema.get_field_index(name)).cast(of))
        frame = pyarrow.Table.from_arrays(arrays, self.header).to_pandas()
        return frame.replace(list(self.format.missing), None) if self.format.missing else frame

    def read(self) -> Table:
        """Return all rows as one Table.

        Raises
        ------
        InvalidFileError
            If the rows do not fit into memory.
        """
        import pandas

        if is_large(self.files):
            raise InvalidFileError(
                self.path,
                f"holds {sum(map(_size, self.files)) / 2**30:.1f} GiB in {self.n_rows} rows, and "
                f"{(_free_memory() or 0) / 2**30:.1f} GiB of memory are free; --model mlp trains on it without reading all of it at "
                "a time",
            )
        tables = list(self.batches())
        starts = [0]
        for table in tables:
            starts.append(starts[-1] + len(table.frame))

        def place(row: int) -> str:
            i = next(i for i, start in enumerate(starts[1:]) if row < start)
            return f"{os.path.relpath(tables[i].path, self.path)} {tables[i].where(row - starts[i])}"

        frame = pandas.concat([table.frame for table in tables], ignore_index=True)
        for table in tables:
            table.frame = None
        return Table(self.path, frame, self.header, place, breaks=len(self.files) - 1)


def _place(start: int, row: int) -> str:
    return f"row {start + row + 1}"


def _files(path: str) -> list[str]:
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        found = [name for name in sorted(names) if name.lower().endswith(ENDINGS) and not name.startswith((".", "_"))]
        files += [os.path.join(folder, name) for name in found]
    return sorted(files)


def _of_folders(path: str, file: str) -> dict[str, str]:
    """Return the columns that the names of a file's folders give: name -> text."""
    parts = os.path.relpath(os.path.dirname(file), path).split(os.sep) if file != path else []
    return dict(part.split("=", 1) for part in parts if "=" in part)


def _check_packages() -> None:
    for package in ("pandas", "pyarrow"):
        try:
            import_module(package)
        except ImportError as error:
            raise MissingExtraError(package) from error


def _open(file: str) -> Any:
    with open(file, "rb"):
        pass  # the errors of open are the ones that users know
    _check_packages()
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise InvalidFileError(file, f"cannot be read as Parquet: {first_line(error)}") from None


def _next(file: str, batches: Iterator[Any]) -> Any:
    """Return the next batch, or None after the last one."""
    import pyarrow

    try:
        return next(batches, None)
    except (pyarrow.ArrowException, OSError) as error:
        raise InvalidFileError(file, f"is damaged: {first_line(error)}") from None


def is_large(files: Sequence[str]) -> bool:
    """Return whether files would take more than half of the free memory; what a fit makes of them takes as much again."""
    free = _free_memory()
    return free is not None and sum(map(_size, files)) > free / 2


def _size(file: str) -> int:
    """Return how many bytes the rows of a file take, once they are decompressed."""
    with _open(file) as parquet:
        groups = [parquet.metadata.row_group(i) for i in range(parquet.metadata.num_row_groups)]
        return sum(group.total_byte_size for group in groups)


def _free_memory() -> int | None:
    """Return the bytes of memory that are free, or None where the system does not say."""
    try:
        with open("/proc/meminfo") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


# ---- types ----


def _types(schema: Any) -> Types:
    """Return the types of the columns by name, without those in which pandas keeps the rows' index."""
    import pyarrow

    of_pandas = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    index = {name for name in of_pandas.get("index_columns", []) if isinstance(name, str)}
    return {
        field.name: pyarrow.string() if _is_text(field.type) else field.type
        for field in schema
        if not (field.name in index and field.name.startswith("__index_level_"))
    }


def _is_text(of: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(of):
        return _is_text(of.value_type)
    return bool(types.is_string(of) or types.is_large_string(of) or types.is_string_view(of))


def _common(ours: Types, theirs: Types, first: str, file: str) -> Types:
    """Return the types of the columns of all files so far; raise InvalidFileError where a file has others."""
    for names, lacking, having in ((ours, file, first), (theirs, first, file)):
        other = theirs if names is ours else ours
        if absent := [name for name in names if name not in other]:
            what = "column" if len(absent) == 1 else "columns"
            raise InvalidFileError(
                lacking,
                f"lacks the {what} {listed(absent)}, which {having} has; all files of a folder must have the same columns",
            )
    common = {}
    for name, of in ours.items():
        common[name] = _wider(of, theirs[name])
        if common[name] is None:
            raise InvalidFileError(
                file,
                f"has the type {theirs[name]} in column {name!r}, and {first} has {of}; all files of a folder must have "
                "the same columns",
            )
    return common


def _wider(a: Any, b: Any) -> Any:
    """Return a type that holds the values of both, or None."""
    import pyarrow
    from pyarrow import types

    if a == b:
        return a
    for one, other in ((a, b), (b, a)):
        if types.is_null(one):  # a column without values
            return other
    if all(types.is_integer(of) or types.is_floating(of) or types.is_decimal(of) for of in (a, b)):
        return pyarrow.float64()
    if all(types.is_timestamp(of) for of in (a, b)) and a.tz == b.tz:
        return pyarrow.timestamp("us", a.tz)
    return None
