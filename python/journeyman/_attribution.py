"""Which channel earned it: credit for conversions from the paths of touches before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _columns, _convert, _core, _plot, _words
from ._convert import Duration, Instant
from ._error import Error
from ._expression import Expression, Selector, _predicate, _selector
from ._history import History
from ._table import Table

if TYPE_CHECKING:
    from ._playbook import Playbook

RULES = ("first", "last", "linear", "position", "time_decay", "last_but")
MODELS = (*RULES, "markov", "shapley")


class Markov:
    """`p` and `observed` (the chance to convert by the chain, and as counted: they are the same), `removal` by channel, `states`, `credit` (a table)."""

    def __init__(self, core: _core._Markov, channels: list[str], order: int) -> None:
        self.p, self.observed, self.states, self.order = core.p, core.observed, core.states, order
        self.removal = dict(zip(channels, core.removal, strict=True))
        """1 - p without the channel / p, every move into it being lost."""
        self.credit = _credit_table(channels, core.credit)

    def __repr__(self) -> str:
        return f"<Markov chain of order {self.order}: {self.states} states, {self.p:.2%} convert>"


class Attribution(Table):
    """Credit by channel and model: channel, touches, paths, then a column of conversions for each model. Made by `journeyman.attribution`."""

    def __init__(self, core: _core._TouchPaths, models: Iterable[str], again: Any = None, history: _core._History | None = None, order: int = 1, half_life: float = 7) -> None:
        self._paths, self._again, self._history = core, again, history
        self._order, self._half_life = order, half_life
        self.models = tuple(models)
        """Which models the table compares."""
        self._table: Any = None

    @property
    def channels(self) -> list[str]:
        """The channels, sorted."""
        return self._paths.channels

    @property
    def unattributed(self) -> float:
        """Conversions before which there was no touch within the window: no channel gets them."""
        return self._paths.unattributed

    @property
    def open(self) -> float:
        """Paths whose window was still open at the end: neither converted nor lost yet, and left out."""
        return self._paths.open

    @property
    def paths(self) -> Table:
        """[contact_id], path, converted, lost, [value]: the touches of a path joined by " > "."""
        return Table(self._paths.table(self._history))

    def credit(self, model: str = "markov", *, order: int | None = None, but: str | None = None, half_life: float | None = None,
               shares: tuple[float, float] = (0.4, 0.4)) -> Table:  # fmt: skip
        """channel, conversions, [value], share: by one model.

        first, last, linear; position (the first and the last touch get `shares`, those between the rest; two touches share by these alone); time_decay (a touch weighs
        2^(-age / `half_life`), in days); last_but (the last touch not of the channel `but`, else the last); markov (an absorbing chain of `order`, solved exactly);
        shapley (of the conversions of paths within a coalition; exact to 15 channels, beyond by 10,000 drawn orders).
        """
        if model == "markov":
            return self.markov(order).credit
        if model == "shapley":
            found = self._paths.shapley(False, 15, 10_000, 0)
            return _credit_table(self.channels, found.credit, None if found.exact else found.standard_error)
        if model not in MODELS:
            raise Error("name.unknown", "model", f'"{model}" is no model; there are {", ".join(MODELS)}')
        number = None
        if model == "last_but":
            if but not in self.channels:
                raise Error("name.unknown", "but", f"last_but needs `but`, one of the channels: {', '.join(self.channels)}")
            number = self.channels.index(but)
        return _credit_table(self.channels, self._paths.rule(model, *shares, self._half_life if half_life is None else half_life, number))

    def markov(self, order: int | None = None) -> Markov:
        """The chain of this order: chance to convert, removal effects, credit (Anderl et al., 2016; solved as linear equations, Kemeny and Snell, 1960)."""
        order = self._order if order is None else order
        return Markov(self._paths.markov(order), self.channels, order)

    def shapley(self, *, worth: str = "conversions", exact_up_to: int = 15, orders: int = 10_000, seed: int = 0) -> Table:
        """channel, credit, standard_error: Shapley values of the worth of a coalition: the conversions of the paths within it, or (`worth="rate"`) their rate.

        Exact up to `exact_up_to` channels (at most 24); beyond by drawn orders, with their standard error.
        """
        if worth not in ("conversions", "rate"):
            raise Error("name.unknown", "worth", f'"{worth}" is no worth; there are conversions and rate')
        s = self._paths.shapley(worth == "rate", exact_up_to, orders, seed)
        return _words.table(({"channel": c, "credit": v, "standard_error": e} for c, v, e in zip(self.channels, s.credit, s.standard_error, strict=True)),
                            ["channel", "credit", "standard_error"])  # fmt: skip

    def within(self, window: Duration | None) -> Attribution:
        """The same with another conversion window. Only where the paths come from a history."""
        if self._again is None:
            raise Error("attribution.within", "within", "these paths came as a table: the instants of their touches are not known")
        made: Attribution = self._again(window)
        return made

    def _rows(self) -> Table:
        if self._table is None:
            counts = Table(self._paths.counts()).to_pylist()
            by_model = {m: [r["conversions"] for r in self.credit(m).to_pylist()] for m in self.models}
            rows = [{"channel": c["channel"], "touches": c["touches"], "paths": c["paths"]} | {m: by_model[m][k] for m in self.models} for k, c in enumerate(counts)]
            self._table = _words.table(rows, ["channel", "touches", "paths", *self.models])
        found: Table = self._table
        return found

    def __len__(self) -> int:
        return len(self.channels)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._rows().__arrow_c_stream__(requested_schema)

    def plot(self, ax: Any = None, models: Iterable[str] | None = None) -> Any:
        """Bars of the credit by channel, one a model, the greatest first; takes and returns a Matplotlib `ax`."""
        chosen = self.models if models is None else tuple(models)
        rows = sorted(self.to_pylist(), key=lambda r: -r[chosen[-1]])
        ax = _plot.axes(ax, 7, 1 + 0.12 * len(rows) * (len(chosen) + 1.5))
        height = 0.8 / len(chosen)
        for k, m in enumerate(chosen):
            ax.barh([y + (k - (len(chosen) - 1) / 2) * height for y in range(len(rows))], [r[m] for r in rows], height, label=m.replace("_", " "), color=f"C{k}")
        ax.set_yticks(range(len(rows)), [r["channel"] for r in rows])
        ax.set(xlabel="conversions credited", ylim=(len(rows) - 0.4, -0.6))
        if len(chosen) > 1:
            ax.legend(frameon=False, fontsize="small", loc="lower right")
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def summary(self) -> str:
        """One paragraph: what was found, how sure, and what would change it."""
        rows, counts = self.to_pylist(), Table(self._paths.counts()).to_pylist()
        if not rows:
            return "There are no touches, so that there is nothing to credit."
        if not any(c["conversions"] for c in counts):
            return f"None of the paths of the {len(rows)} channels converted, so that there is nothing to credit. Another conversion, window or end would change that."
        m = self.markov()
        total = sum(r["conversions"] for r in self.credit("last").to_pylist())
        best = max(rows, key=lambda r: m.removal[r["channel"]])
        spread = {r["channel"]: [r[x] / total for x in self.models] if total else [0.0] for r in rows}
        torn = max(spread, key=lambda c: max(spread[c]) - min(spread[c]))
        parts = [f"{total:,.0f} conversions were credited to {len(rows)} channels; of all paths {m.observed:.1%} converted."]
        parts.append(f"The one that would be missed most is {best['channel']}: without it {m.removal[best['channel']]:.1%} of the conversions would not come, by a Markov chain of order {m.order}.")
        if len(self.models) > 1:
            low, high = min(spread[torn]), max(spread[torn])
            if high - low < 0.01:
                parts.append("The models agree within one hundredth of the credit: which one is taken hardly matters.")
            else:
                parts.append(f"The models disagree most about {torn}, which gets between {low:.1%} and {high:.1%} of the credit: there the answer is the model's, not the data's.")
        few = [c["channel"] for c in counts if c["conversions"] < 10]
        if few:
            parts.append(f"Of {', '.join(few[:5])}{' and others' if len(few) > 5 else ''} fewer than ten conversions are known, too few to say much.")
        if self.unattributed:
            parts.append(f"{self.unattributed:,.0f} conversions had no touch before them and went to nobody.")
        if self.open:
            parts.append(f"{self.open:,.0f} paths were still open.")
        parts.append("Credit describes where converting paths went, not what a channel caused: an experiment that switches a channel off would say that, and another conversion window changes the paths.")
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"{self.summary()}\n{self._rows()!r}"

    def _repr_html_(self) -> str:
        return _words.paragraph(self.summary()) + self._rows()._repr_html_()


def _credit_table(channels: list[str], credit: _core._Credit | list[float], standard_error: list[float] | None = None) -> Table:
    conversions, value = (credit, []) if isinstance(credit, list) else (credit.conversions, credit.value)
    total = sum(conversions)
    rows = [{"channel": c, "conversions": x, "value": value[k] if value else None, "share": x / total if total else None,
             "standard_error": standard_error[k] if standard_error else None}
            for k, (c, x) in enumerate(zip(channels, conversions, strict=True))]  # fmt: skip
    return _words.table(rows, ["channel", "conversions", *(["value"] if value else []), "share", *(["standard_error"] if standard_error else [])])


def _from_table(source: Any, models: Iterable[str] | None, separator: str, order: int, half_life: float) -> Attribution:
    import pyarrow
    import pyarrow.compute

    columns = _columns.Columns(source, "attribution")
    path = columns["path"]
    path = path.combine_chunks() if isinstance(path, pyarrow.ChunkedArray) else path
    if len(path) == 0:
        path = path.cast(pyarrow.list_(pyarrow.string()))
    if pyarrow.types.is_string(path.type) or pyarrow.types.is_large_string(path.type):
        path = pyarrow.compute.split_pattern(path, separator)
    if not (pyarrow.types.is_list(path.type) or pyarrow.types.is_large_list(path.type)) or path.null_count:
        raise Error("input.column", "path", f'`path` holds lists of channels, or texts of them joined by "{separator}", in every row')
    touches, channels = _columns.codes(path.flatten(), "path")
    ends = pyarrow.compute.cumulative_sum(pyarrow.compute.list_value_length(path).cast(pyarrow.int64()))
    begins = pyarrow.concat_arrays([pyarrow.array([0], pyarrow.uint32()), ends.cast(pyarrow.uint32())]) if len(path) else pyarrow.array([0], pyarrow.uint32())
    numbers = {name: _columns.numbers(columns[name], name) if name in columns else None for name in ("converted", "lost", "value")}
    age = None
    if "age" in columns:
        ages = columns["age"]
        age = _columns.numbers((ages.combine_chunks() if isinstance(ages, pyarrow.ChunkedArray) else ages).flatten(), "age")
    core = _core._TouchPaths.of(channels, touches, _columns._buffer(begins, "I", 4), numbers["converted"], numbers["lost"], numbers["value"], age)
    default = ("first", "last", "linear", "position", *(["time_decay"] if age is not None else []), "markov", "shapley")
    return Attribution(core, default if models is None else models, None, None, order, half_life)


def attribution(
    source: History | Any,
    *,
    touch: Selector | str | None = None,
    conversion: Selector | str | None = None,
    within: Duration | None = None,
    until: Instant | None = None,
    who: Expression | str | None = None,
    models: Iterable[str] | None = None,
    order: int = 1,
    half_life: float = 7,
    separator: str = " > ",
    segments: Mapping[str, Expression | str] | None = None,
    timezone: str = "UTC",
    playbook: Playbook | None = None,
) -> Attribution:
    """Which channel earned it, by several models side by side.

    >>> a = jm.attribution(history, touch="visit.channel", conversion="purchase.amount", within="30d")
    >>> a.markov().removal, a.credit("position"), a.within("7d").summary()
    >>> jm.attribution({"path": ["ads > mail", "mail"], "converted": [1, 0], "lost": [2, 5]})

    From a history: `touch` has the channel as its property (without one the event's name is it), `conversion` the value, if any. A touch counts for the first conversion
    after it, if that comes `within` the window (the end included; None: for ever). Touches that led to none are lost paths, parted where a gap is longer than the window;
    one whose window is open at `until` (default: the end of the history) is left out and counted in `.open`. `who` keeps to contacts for whom it is yes then.
    From a table: `path` (lists, or texts joined by `separator`), `converted` and `lost` (how often it was walked to each end; default 1 and 0), [`value`] of its
    conversions together, [`age`] (lists, days before the conversion).
    `models` of the table: first, last, linear, position, time_decay, markov (of `order`), shapley. Raises `Error`: those of the type check, `attribution.within`,
    `attribution.columns`, `attribution.order`, `input.column`.
    """
    if not isinstance(source, History):
        return _from_table(source, models, separator, order, half_life)
    if touch is None or conversion is None:
        raise TypeError("attribution from a history needs `touch` and `conversion`")
    words = source._words(playbook, segments, timezone)
    known = source.schema["events"]
    core, a, b = source._core, _selector(touch, known), _selector(conversion, known)
    asked = None if who is None else _predicate(who)
    end = _convert.instant_or_none(until)
    chosen = ("first", "last", "linear", "position", "time_decay", "markov", "shapley") if models is None else tuple(models)

    def made(window: Duration | None) -> Attribution:
        paths = _core._touch_paths_of(core, a, b, None if window is None else _convert.duration(window), end, asked, words)
        return Attribution(paths, chosen, made, core, order, half_life)

    return made(within)
