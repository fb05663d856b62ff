"""Files and folders that are there whole or not at all: written beside their place, then put there in one go."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from ._error import Error
from ._table import Table


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path to write to; it becomes `path` when all went well, and is gone otherwise. The ending of the name is kept."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    made = pathlib.Path(name)
    try:
        yield made
        made.chmod(0o666 & ~_umask())
        os.replace(made, path)
    finally:
        made.unlink(missing_ok=True)


def refuse_filled(path: pathlib.Path, force: bool) -> None:
    if path.exists() and not path.is_dir():
        raise Error("output.folder", str(path), "this is a file; name a folder")
    if not force and path.is_dir() and any(path.iterdir()):
        raise Error("output.folder", str(path), "the folder is not empty; name another, or let --force replace it")


@contextlib.contextmanager
def whole_folder(path: pathlib.Path, force: bool) -> Iterator[pathlib.Path]:
    """A folder to write to; it becomes `path` when all went well, and is gone otherwise."""
    refuse_filled(path, force)
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield made
        made.chmod(0o777 & ~_umask())
        if path.exists():
            old = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
            os.replace(path, old)
            os.replace(made, path)
            shutil.rmtree(old)
        else:
            os.replace(made, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_table(folder: pathlib.Path, name: str, table: Table, form: str) -> None:
    """As Parquet; or as CSV, where durations are seconds."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.csv
    import pyarrow.parquet

    arrow = table.to_arrow()
    if form == "parquet":
        pyarrow.parquet.write_table(arrow, folder / f"{name}.parquet")
        return
    for k, field in enumerate(arrow.schema):
        if pyarrow.types.is_duration(field.type):
            seconds = pyarrow.compute.divide(arrow[k].cast(pyarrow.int64()).cast(pyarrow.float64()), 1e6)
            arrow = arrow.set_column(k, field.name, seconds)
    pyarrow.csv.write_csv(arrow, folder / f"{name}.csv")
