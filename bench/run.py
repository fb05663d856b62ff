"""Measures Journeyman beside DuckDB, Polars and chDB: same data, same questions, one core, answers checked equal.

    python bench/run.py                      all parts on the full data (makes them first; about ten minutes, 12 GB)
    python bench/run.py --scale 0.05         a quick look
    python bench/run.py --only select build  some parts: build, select, others, append, threads, memory
    python bench/run.py --only select --questions count_30d sequence
    python bench/run.py --only select --peers Polars       beside the one that was the fastest with all of them

Programs take turns, round by round, so that a busy machine disturbs all alike. What counts is processor time, of which a thread that waits
for a core takes none; the time on the wall is in the results too. Results go to bench/results/ as JSON.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # before any import that reads it
os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import data as made  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.compute as pc  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from questions import AT, END, GOALS, READ, SEGMENTS, TEXTS  # noqa: E402

Timed = dict[str, float]


def once(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Processor seconds, seconds on the wall, the result."""
    wall, own = time.perf_counter(), time.process_time()
    result = call()
    return time.process_time() - own, time.perf_counter() - wall, result


def take_turns(calls: dict[str, Callable[[], Any]], rounds: int, warm: bool = True) -> dict[str, Timed]:
    """name → median, least and most processor milliseconds, and the median on the wall."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    if warm:
        for call in calls.values():
            call()
    for _ in range(rounds):
        for name, call in calls.items():
            own, wall, _ = once(call)
            times[name].append((own * 1e3, wall * 1e3))
    out = {}
    for name, pairs in times.items():
        own_times = [t for t, _ in pairs]
        out[name] = {"ms": statistics.median(own_times), "least": min(own_times), "most": max(own_times), "wall": statistics.median(t for _, t in pairs)}
    return out


def one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def versions() -> dict[str, str]:
    """Of all that take part, and the machine."""
    import importlib.metadata

    def version(package: str) -> str:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    model = ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "")
    return {
        **{name: version(name) for name in ("journeyman", "polars", "duckdb", "chdb", "pyarrow")},
        "python": platform.python_version(), "machine": f"{model}, {os.cpu_count()} cores", "load": f"{os.getloadavg()[0]:.1f}",
    }  # fmt: skip


def with_integer_ids(table: pa.Table) -> pa.Table:
    ids = pc.cast(pc.utf8_slice_codeunits(table["contact_id"], 1), pa.int64())
    return table.set_column(table.column_names.index("contact_id"), "contact_id", ids)


def show(timed: Timed) -> str:
    return f"{timed['ms']:9.2f} ({timed['least']:.2f} to {timed['most']:.2f})"


# ---------------------------------------------------------------- building


def build(folder: pathlib.Path, rounds: int) -> dict[str, Any]:
    """From Arrow to sorted streams, against Polars' sort of the same frame by contact and time."""
    import journeyman as jm
    import polars as pl

    contacts, events = pq.read_table(folder / "contacts.parquet"), pq.read_table(folder / "events.parquet")
    out: dict[str, Any] = {}
    print("\nBuild from Arrow (gate: 5x Polars' sort of the same frame); processor ms, median (least to most)")
    for name, c, e in (("integer ids", with_integer_ids(contacts), with_integer_ids(events)), ("text ids", contacts, events)):
        frame = pl.DataFrame(pl.from_arrow(e))
        history, ordered = jm.History(contacts=c, events=e), frame.sort("contact_id", "timestamp")
        check_build(history, ordered)
        del history, ordered
        timed = take_turns({
            "journeyman": lambda c=c, e=e: jm.History(contacts=c, events=e, threads=1),
            "polars sort": lambda f=frame: f.sort("contact_id", "timestamp"),
        }, rounds, warm=False)  # fmt: skip
        ratio = timed["polars sort"]["ms"] / timed["journeyman"]["ms"]
        out[name] = {**timed, "ratio": ratio, "goal": 5, "first_in_process": [first_build(folder, name) for _ in range(3)]}
        first = statistics.median(out[name]["first_in_process"])
        print(f"  {name:12} first in a process {first:9.2f}: {timed['polars sort']['ms'] / first:5.1f}x; later {show(timed['journeyman'])}   polars {show(timed['polars sort'])}   {ratio:5.1f}x {'met' if ratio >= 5 else 'NOT MET'}", flush=True)
    return out


def first_build(folder: pathlib.Path, ids: str) -> float:
    """Processor ms of the first build of a process: the system has to clear every page of it."""
    script = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import run
import journeyman as jm
run.one_core()
c, e = (run.pq.read_table({str(folder)!r} + "/" + name + ".parquet") for name in ("contacts", "events"))
if {ids!r} == "integer ids":
    c, e = run.with_integer_ids(c), run.with_integer_ids(e)
print(run.once(lambda: jm.History(contacts=c, events=e, threads=1))[0] * 1e3)
"""
    return float(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)


def check_build(history: Any, ordered: Any) -> None:
    """The same rows in the same order: no two events share an instant, so contact and time say all; and the cells are theirs."""
    ours = pa.table(history.events())
    theirs = ordered.select("contact_id", "timestamp", "event", "page", "amount_cents", "cart_id").to_arrow()
    for name in theirs.column_names:
        a, b = ours[name], theirs[name]
        text = pa.types.is_string(a.type) or pa.types.is_dictionary(a.type)
        same = pc.cast(a, pa.large_string()).equals(pc.cast(b, pa.large_string())) if text else pc.cast(a, b.type).equals(b)
        if not same:
            raise SystemExit(f"answers differ: column {name} of the built history is not what Polars sorts")


# ---------------------------------------------------------------- questions


def ask(history: Any, question: str) -> Any:
    at = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(AT // 1_000_000))}"
    if question == "all_twelve":
        return [found.count for found in history.select_many(TEXTS, at, segments=SEGMENTS).values()]
    return history.select(TEXTS[question], at, segments=SEGMENTS).count


def stays(history: Any) -> Any:
    return history.membership(TEXTS["count_30d"], "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")


def stays_answer(table: Any) -> list[int]:
    """How many stays, their length within the year, how many have ended: what the peers answer."""
    t = pa.table(table)
    entered, left = pc.cast(t["entered_at"], pa.int64()), pc.cast(t["left_at"], pa.int64())
    until = pc.min_element_wise(pc.fill_null(left, END), END)
    return [len(t), pc.sum(pc.subtract(until, entered)).as_py(), len(t) - left.null_count]


def select(folder: pathlib.Path, rounds: int, questions: list[str], beside: list[str]) -> dict[str, Any]:
    """Predicates over all contacts, against the best idiom of each peer: on one table, and in any layout."""
    import journeyman as jm

    contacts, events = with_integer_ids(pq.read_table(folder / "contacts.parquet")), with_integer_ids(pq.read_table(folder / "events.parquet"))
    history = jm.History(contacts=contacts, events=events)
    rivals = rivals_of(beside, folder, contacts, events)
    del contacts, events
    out: dict[str, Any] = {}
    print(f"\nPredicates over {history.contacts_count:,} contacts and {history.events_count:,} events; processor ms, median (least to most)")
    print(f"  {'question':22} {'journeyman':28} {'best on one table':44} {'':7} best of any layout")
    first_ms = {q: once(lambda q=q: ask(history, q))[0] * 1e3 for q in questions if q != "membership"}   # narrow columns are made then
    for question in questions:
        ours: Callable[[], Any] = (lambda: stays(history)) if question == "membership" else (lambda q=question: ask(history, q))
        answer = stays_answer(ours()) if question == "membership" else ours()
        tried: dict[str, tuple[float, str, Callable[[], Any]]] = {}
        for name, rival in rivals.items():
            for layout, idiom, call in rival.variants(question):
                call()
                own, _, theirs = once(call)
                if theirs != answer:
                    raise SystemExit(f"answers differ in {question}: {answer} against {theirs} by {name}, {idiom}, {layout}")
                tried[f"{name} {layout}: {idiom}"] = (own, layout, call)
        on_table = min((k for k in tried if tried[k][1] == "table"), key=lambda k: tried[k][0])
        anyhow = min(tried, key=lambda k: tried[k][0])
        timed = take_turns({"journeyman": ours, on_table: tried[on_table][2], anyhow: tried[anyhow][2]}, rounds)
        ratios = [timed[k]["ms"] / timed["journeyman"]["ms"] for k in (on_table, anyhow)]
        goals = GOALS.get(question)
        fastest = {name: min(t for k, (t, _, _) in tried.items() if k.startswith(name)) * 1e3 for name in rivals}
        out[question] = {"journeyman": timed["journeyman"], "fastest_ms": fastest, "one_table": {"who": on_table, **timed[on_table]}, "any_layout": {"who": anyhow, **timed[anyhow]},
                         "ratio_one_table": ratios[0], "ratio_any_layout": ratios[1], "goals": goals, "answer": answer, "first_ms": first_ms.get(question)}  # fmt: skip
        met = ["" if goals is None else "met" if r >= g else "NOT MET" for r, g in zip(ratios, goals or (0, 0), strict=True)]
        for k, who in enumerate((on_table, anyhow)):
            mine = f"{question:22} {show(timed['journeyman']):28}" if k == 0 else f"{'':51}"
            label = "one table" if k == 0 else "any layout"
            goal = "" if goals is None else f"goal {goals[k]:g}x"
            print(f"  {mine} {label:10} {show(timed[who])} {ratios[k]:7.1f}x {goal:8} {met[k]:8} {who}", flush=True)
        print(f"  {'':51} of each, once: {'; '.join(f'{name} {ms:.2f}' for name, ms in fastest.items())}", flush=True)
    for rival in rivals.values():
        if hasattr(rival, "close"):
            rival.close()
    single = [out[q]["journeyman"]["ms"] for q in TEXTS if q in out]
    if "all_twelve" in out and len(single) == len(TEXTS):
        ratio = out["all_twelve"]["journeyman"]["ms"] / max(single)
        out["all_twelve"]["of_dearest"] = ratio
        print(f"  all twelve at once cost {ratio:.1f} times the dearest of them (gate: 3; {'met' if ratio <= 3 else 'NOT MET'}), {sum(single):.1f} ms one after the other")
    return out


def rivals_of(names: list[str], folder: pathlib.Path, contacts: pa.Table, events: pa.Table) -> dict[str, Any]:
    import peers

    made: dict[str, Callable[[], Any]] = {"Polars": lambda: peers.Polars(contacts, events), "DuckDB": lambda: peers.DuckDB(contacts, events)}
    if "chDB" in names:
        import peers_chdb

        made["chDB"] = lambda: peers_chdb.ChDB(folder)
    return {name: made[name]() for name in names}


# ---------------------------------------------------------------- other events


def others(folder: pathlib.Path, rounds: int) -> dict[str, Any]:
    """The same questions over ten times as many events that they do not ask about: every tenth of these, against all."""
    import journeyman as jm

    contacts, events = with_integer_ids(pq.read_table(folder / "contacts.parquet")), with_integer_ids(pq.read_table(folder / "events.parquet"))
    names, tenth = pc.cast(events["event"], pa.string()), pa.array(range(events.num_rows), pa.int64())
    tenth = pc.equal(pc.multiply(pc.divide(tenth, 10), 10), tenth)
    whole = jm.History(contacts=contacts, events=events)
    out: dict[str, Any] = {}
    print("\nTen times the other events (gate: 1.3 times the cost); processor ms, median (least to most)")
    for question, read in READ.items():
        few = jm.History(contacts=contacts, events=events.filter(pc.or_(pc.is_in(names, pa.array(read)), tenth)))
        if ask(few, question) != ask(whole, question):
            raise SystemExit(f"answers differ in {question} with fewer other events")
        timed = take_turns({"few": lambda q=question, h=few: ask(h, q), "all": lambda q=question: ask(whole, q)}, 5 * rounds)
        ratio = timed["all"]["ms"] / timed["few"]["ms"]
        out[question] = {**timed, "ratio": ratio, "goal": 1.3, "events": [few.events_count, whole.events_count]}
        print(f"  {question:22} {few.events_count:12,} events {show(timed['few'])}   {whole.events_count:12,} events {show(timed['all'])} {ratio:6.2f}x"
              f"  {'met' if ratio <= 1.3 else 'NOT MET'}", flush=True)  # fmt: skip
    return out


# ---------------------------------------------------------------- appending


def append(folder: pathlib.Path, rounds: int) -> dict[str, Any]:
    """The last rows of the year, appended to the history of all before, beside building all of it; and a tracked membership taking them in."""
    import journeyman as jm

    contacts, events = with_integer_ids(pq.read_table(folder / "contacts.parquet")), with_integer_ids(pq.read_table(folder / "events.parquet"))
    whole = jm.History(contacts=contacts, events=events)
    question, start = TEXTS["count_30d"], "2025-01-01T00:00:00Z"
    out: dict[str, Any] = {"build": take_turns({"all": lambda: jm.History(contacts=contacts, events=events)}, min(rounds, 3), warm=False)["all"]}
    print(f"\nAppend to {events.num_rows:,} events (information); processor ms, median (least to most)\n  build all of it      {show(out['build'])}")
    purchases = pc.equal(pc.cast(events["event"], pa.string()), "purchase")
    last = {f"last {n:,} rows": events.slice(events.num_rows - n) for n in (1_000, 100_000)}
    last["last 1,000 purchases"] = events.filter(purchases).slice(pc.sum(purchases).as_py() - 1_000)
    for name, more in last.items():
        first = more["timestamp"][0]
        before = pc.less(events["timestamp"], first) if name.endswith("rows") else pc.invert(pc.and_(purchases, pc.greater_equal(events["timestamp"], first)))
        history = jm.History(contacts=contacts, events=events.filter(before))

        def appended(h: Any = history, more: Any = more) -> Any:
            return jm.History._of(h._core).append(events=more)

        if appended().select(question, at="2025-12-31T00:00:00Z").ids != whole.select(question, at="2025-12-31T00:00:00Z").ids or appended().events_count != events.num_rows:
            raise SystemExit(f"answers differ after appending the {name}")
        out[name] = take_turns({"append": appended}, rounds)["append"]
        times = []
        for _ in range(min(rounds, 3)):
            growing = jm.History._of(history._core)
            tracked = growing.track(question, start)
            growing.append(events=more)
            times.append(once(tracked.update)[0] * 1e3)
        out[f"{name}, tracked"] = {"ms": statistics.median(times), "least": min(times), "most": max(times)}
        print(f"  {name:20} {show(out[name])}   tracked membership takes them in: {show(out[f'{name}, tracked'])}", flush=True)
    return out


# ---------------------------------------------------------------- threads


def threads(folder: pathlib.Path, rounds: int) -> dict[str, Any]:
    """Two threads against one, on the wall; the answers are the same. Needs two idle cores."""
    import journeyman as jm

    if (os.cpu_count() or 1) < 2:
        print("\nThreads: one core here, not measured")
        return {}
    contacts, events = with_integer_ids(pq.read_table(folder / "contacts.parquet")), with_integer_ids(pq.read_table(folder / "events.parquet"))
    history = jm.History(contacts=contacts, events=events, threads=1)
    if not pa.table(history.events()).equals(pa.table(jm.History(contacts=contacts, events=events, threads=2).events())):
        raise SystemExit("the history differs by the number of threads")
    at = "2025-12-31T00:00:00Z"
    out: dict[str, Any] = {}
    print(f"\nTwo threads (gate: 1.7x on the wall, two idle cores; the load here is {os.getloadavg()[0]:.1f}); ms on the wall, median")
    texts = {"eight_clauses": TEXTS["eight_clauses"], "sequence": TEXTS["sequence"]}
    calls = {name: (lambda n, t=text: history.select(t, at, threads=n)) for name, text in texts.items()}
    for name, call in calls.items():
        if call(1).ids != call(2).ids:
            raise SystemExit(f"answers differ in {name} by the number of threads")
    calls["build"] = lambda n: jm.History(contacts=contacts, events=events, threads=n)
    for name, call in calls.items():
        timed = take_turns({"1": lambda c=call: c(1), "2": lambda c=call: c(2)}, rounds)
        ratio = timed["1"]["wall"] / timed["2"]["wall"]
        out[name] = {**timed, "ratio": ratio, "goal": 1.7}
        print(f"  {name:22} {timed['1']['wall']:9.1f} {timed['2']['wall']:9.1f} {ratio:6.2f}x", flush=True)
    return out


# ---------------------------------------------------------------- memory


def memory(folder: pathlib.Path) -> dict[str, Any]:
    """The peak of a process that reads a million contacts with ten million events and builds their history."""
    script = f"""
import json
import pyarrow.parquet as pq
import journeyman as jm
tables = [pq.read_table({str(folder)!r} + "/" + name + ".parquet") for name in ("contacts", "events")]
def status(name):   # ru_maxrss would begin with that of the parent
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) // 1024
before = status("VmRSS")
history = jm.History(contacts=tables[0], events=tables[1])
print(json.dumps({{"contacts": history.contacts_count, "events": history.events_count, "input_mb": sum(t.nbytes for t in tables) >> 20,
                  "before_mb": before, "peak_mb": status("VmHWM")}}))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    out: dict[str, Any] = json.loads(done.stdout)
    print("\nMemory while building (gate: 4 GiB, the Arrow tables it is built from included)")
    print(f"  {out['contacts']:,} contacts, {out['events']:,} events: peak {out['peak_mb']:,} MiB, of which Python and the Arrow tables {out['before_mb']:,} MiB"
          f"   {'met' if out['peak_mb'] <= 4096 else 'NOT MET'}", flush=True)  # fmt: skip
    return out


def markdown(results: dict[str, Any]) -> str:
    """The results as tables for people; the README quotes them."""
    lines = ["; ".join(f"{k} {v}" for k, v in results["versions"].items()), ""]
    if results.get("build"):
        lines += ["| build from Arrow, ms | first in a process | later | Polars' sort | ratio, first | ratio, later | gate |", "| --- " * 7 + "|"]
        for name, r in results["build"].items():
            first, polars = statistics.median(r["first_in_process"]), r["polars sort"]["ms"]
            lines.append(f"| {name} | {first:,.0f} | {r['journeyman']['ms']:,.0f} | {polars:,.0f} | {polars / first:.1f} | {r['ratio']:.1f} | {r['goal']} |")
        lines.append("")
    if results.get("select"):
        lines += ["| question, ms | Journeyman | best on one table | ratio | goal | best of any layout | ratio | goal |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
        for name, r in results["select"].items():
            goals = r["goals"] or ("", "")
            cells = [name, f"{r['journeyman']['ms']:.2f}"]
            for where, goal in (("one_table", goals[0]), ("any_layout", goals[1])):
                cells += [f"{r[where]['who'].split()[0]} {r[where]['ms']:.2f}", f"{r['ratio_' + where]:.1f}", f"{goal}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    if results.get("others"):
        lines += ["| ten times the other events, ms | events | | events | | ratio | gate |", "| --- " * 7 + "|"]
        lines += [f"| {q} | {r['events'][0]:,} | {r['few']['ms']:.2f} | {r['events'][1]:,} | {r['all']['ms']:.2f} | {r['ratio']:.2f} | {r['goal']} |" for q, r in results["others"].items()]
        lines.append("")
    if results.get("append"):
        lines += ["| append, ms | |", "| --- | --- |"]
        lines += [f"| {name} | {r['ms']:,.1f} |" for name, r in results["append"].items()]
        lines.append("")
    if results.get("threads"):
        lines += ["| two threads, ms on the wall | one | two | ratio | gate |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {name} | {r['1']['wall']:.1f} | {r['2']['wall']:.1f} | {r['ratio']:.2f} | {r['goal']} |" for name, r in results["threads"].items()]
        lines.append("")
    if results.get("memory"):
        m = results["memory"]
        lines.append(f"Memory: {m['contacts']:,} contacts, {m['events']:,} events: peak {m['peak_mb']:,} MiB (gate 4,096), of which Python and the Arrow tables {m['before_mb']:,} MiB.")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parts = ["build", "select", "others", "append", "threads", "memory"]
    questions = [*TEXTS, "all_twelve", "membership"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="where the data are, or will be made (default: a folder of its own in the system's temporary one)")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--questions", nargs="+", choices=questions, default=questions)
    parser.add_argument("--peers", nargs="+", choices=["Polars", "DuckDB", "chDB"], default=["Polars", "DuckDB", "chDB"])
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    base = pathlib.Path(tempfile.gettempdir()) / "journeyman-bench"
    folder = args.data or base / f"{args.scale:g}"
    if set(args.only) - {"memory"} and not (folder / "summary.json").exists():
        print(f"making the data in {folder}", flush=True)
        made.make(folder, args.scale)
    results: dict[str, Any] = {"versions": versions(), "scale": args.scale}
    print("; ".join(f"{k} {v}" for k, v in results["versions"].items()))
    everywhere = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    one_core()
    if "build" in args.only:
        results["build"] = build(folder, min(args.rounds, 5))
    if "select" in args.only:
        results["select"] = select(folder, args.rounds, args.questions, args.peers)
    if "others" in args.only:
        results["others"] = others(folder, args.rounds)
    if "append" in args.only:
        results["append"] = append(folder, args.rounds)
    if everywhere is not None:
        os.sched_setaffinity(0, everywhere)
    if "threads" in args.only:
        results["threads"] = threads(folder, args.rounds)
    if "memory" in args.only:
        many = base / f"many-{args.scale:g}"
        if not (many / "summary.json").exists():
            made.make(many, contacts=int(1_000_000 * args.scale), events=int(10_000_000 * args.scale))
        results["memory"] = memory(many)
    target = HERE / "results"
    target.mkdir(exist_ok=True)
    name = "-".join(args.only) if args.only != parts else "all"
    (target / f"{name}{'' if args.scale == 1 else f'-{args.scale:g}'}.json").write_text(json.dumps(results, indent=1) + "\n")
    if args.only == parts and args.scale == 1:
        (target / "all.md").write_text(markdown(results))


if __name__ == "__main__":
    main()
