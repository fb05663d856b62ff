"""Columns as `_core` takes them for statistics: contiguous buffers of one type, from lists, numpy, pandas, polars, Arrow."""

from __future__ import annotations

import array as array_module
import datetime
from collections.abc import Sequence
from typing import Any

from . import _convert
from ._error import Error


def _array(x: Any, what: str) -> Any:
    import pyarrow

    try:
        if hasattr(x, "__arrow_c_stream__") and not isinstance(x, pyarrow.ChunkedArray):
            x = pyarrow.chunked_array(x)
        elif not isinstance(x, (pyarrow.Array, pyarrow.ChunkedArray)):
            x = pyarrow.array(x if hasattr(x, "__array__") else list(x))
        return x.combine_chunks() if isinstance(x, pyarrow.ChunkedArray) else x
    except (pyarrow.ArrowException, TypeError, ValueError) as e:
        raise Error("input.column", what, f"this is no column: {e}") from e


Buffer = Any
"""A memoryview of one type."""


def _buffer(array: Any, form: str, width: int) -> Buffer:
    if len(array) == 0:
        return memoryview(array_module.array(form))
    whole: Any = memoryview(array.buffers()[1]).cast("B")
    return whole[array.offset * width : (array.offset + len(array)) * width].cast(form)


def _full(array: Any, what: str) -> Any:
    if array.null_count:
        raise Error("input.column", what, f"{array.null_count} rows lack `{what}`; leave them out")
    return array


def numbers(x: Any, what: str, *, unit: int = 86_400_000_000) -> Buffer:
    """Decimals. Durations become numbers of `unit` microseconds. Raises `Error` (`input.column`) where something is missing or no number."""
    import pyarrow
    import pyarrow.compute

    array = _full(_array(x, what), what)
    try:
        if pyarrow.types.is_duration(array.type):
            whole = array.cast(pyarrow.duration("us"), safe=False).cast(pyarrow.int64()).cast(pyarrow.float64(), safe=False)
            array = pyarrow.compute.divide(whole, float(unit))
        return _buffer(array.cast(pyarrow.float64(), safe=False), "d", 8)
    except pyarrow.ArrowException as e:
        raise Error("input.column", what, f"`{what}` is not of numbers: {e}") from e


def flags(x: Any, what: str) -> Buffer:
    """Yes/no, or numbers of which 0 is no."""
    import pyarrow
    import pyarrow.compute

    if str(getattr(x, "dtype", None)) == "bool" and hasattr(x, "__array__"):   # numpy has a byte for each already
        whole = x.__array__()
        if whole.ndim == 1 and whole.flags.c_contiguous:
            return memoryview(whole).cast("B")
    array = _full(_array(x, what), what)
    try:
        if not pyarrow.types.is_boolean(array.type):
            array = pyarrow.compute.not_equal(array.cast(pyarrow.float64(), safe=False), 0.0)
        return _buffer(array.cast(pyarrow.uint8()), "B", 1)
    except pyarrow.ArrowException as e:
        raise Error("input.column", what, f"`{what}` is not of yes/no: {e}") from e


def day_number(x: str | datetime.date) -> int:
    """Days since 1970."""
    when = datetime.date.fromisoformat(x[:10]) if isinstance(x, str) else x.date() if isinstance(x, datetime.datetime) else x
    return (when - datetime.date(1970, 1, 1)).days


def days(x: Any, what: str) -> Buffer:
    """Calendar days, from dates, ISO texts or instants (in UTC)."""
    import pyarrow

    array = _full(_array(x, what), what)
    try:
        if pyarrow.types.is_string(array.type) or pyarrow.types.is_large_string(array.type):
            return _buffer(pyarrow.array([day_number(t) for t in array.to_pylist()], pyarrow.int32()), "i", 4)
        if not pyarrow.types.is_integer(array.type):
            array = array.cast(pyarrow.timestamp("us"), safe=False) if pyarrow.types.is_timestamp(array.type) else array
            array = array.cast(pyarrow.date32(), safe=False)
        return _buffer(array.cast(pyarrow.int32()), "i", 4)
    except (pyarrow.ArrowException, ValueError) as e:
        raise Error("input.column", what, f"`{what}` is not of days: {e}") from e


def codes(x: Any, what: str, order: Sequence[Any] | None = None) -> tuple[Buffer, list[str]]:
    """The number of each value among the distinct ones, and their texts. In the order given, else sorted (missing ones last, as "(missing)")."""
    import pyarrow
    import pyarrow.compute

    array = _array(x, what)
    if pyarrow.types.is_boolean(array.type) and not array.null_count and pyarrow.compute.any(array).as_py() and not pyarrow.compute.all(array).as_py() and order is None:
        return _buffer(array.cast(pyarrow.uint8()).cast(pyarrow.uint32()), "I", 4), ["False", "True"]
    found = array if isinstance(array, pyarrow.DictionaryArray) else array.dictionary_encode(null_encoding="encode")
    values = found.dictionary.to_pylist()
    if found.indices.null_count:   # a dictionary that came with missing rows
        found = found.dictionary_decode().dictionary_encode(null_encoding="encode")
        values = found.dictionary.to_pylist()
    texts = ["(missing)" if v is None else str(v) for v in values]
    if order is None:
        ranked = sorted(range(len(values)), key=lambda k: (values[k] is None, values[k] if isinstance(values[k], (int, float)) else 0, texts[k]))
    else:
        wanted = [str(v) for v in order]
        if unknown := sorted(set(texts) - set(wanted)):
            raise Error("input.column", what, f"`{what}` holds {', '.join(unknown)}, which the order given does not name")
        ranked, texts = [texts.index(v) for v in wanted if v in texts], texts
    place = [0] * len(values)
    for to, k in enumerate(ranked):
        place[k] = to
    if place == list(range(len(values))):
        return _buffer(found.indices.cast(pyarrow.int32()), "I", 4), texts
    numbers = pyarrow.array(place, pyarrow.uint32()).take(found.indices)
    return _buffer(numbers, "I", 4), [texts[k] for k in ranked]


class Columns:
    """A table's columns by name. Errors say which there are."""

    def __init__(self, source: Any, what: str) -> None:
        import pyarrow

        lengths = {len(c) if hasattr(c, "__len__") else None for c in source.values()} if isinstance(source, dict) else set()
        self._given: dict[str, Any] = {}
        if len(lengths) == 1 and None not in lengths:   # columns nobody asks for need not be converted
            self._given = {str(n): c for n, c in source.items()}
            self.names, self._length = list(self._given), int(lengths.pop() or 0)
        else:
            self._table = pyarrow.table(_convert.arrow_source(source, what))
            self.names, self._length = list(self._table.column_names), int(self._table.num_rows)
        self._what = what

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def given(self, name: str) -> Any:
        """The column as it came."""
        if name not in self.names:
            raise Error("table.column", self._what, f"the table has no column `{name}`; it has {', '.join(self.names)}")
        return self._given[name] if self._given else self._table[name]

    def __getitem__(self, name: str) -> Any:
        """The column by Arrow."""
        return _array(self.given(name), name) if self._given else self.given(name)

    def together(self, names: Sequence[str]) -> Any:
        """Several columns as one of texts, joined by " · "."""
        if len(names) == 1:
            return self[names[0]]
        lists = [self[n].to_pylist() for n in names]
        return [" · ".join("(missing)" if v is None else str(v) for v in row) for row in zip(*lists, strict=True)]
