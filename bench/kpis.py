"""KPIs of a year: Journeyman beside DuckDB, Polars and chDB (bench/kpis_peers.py), answers checked equal.

    python bench/kpis.py --data FOLDER [--rounds 5]      the folder of bench/data.py
    python bench/kpis.py --data FOLDER --engines polars  beside one of the three
    python bench/kpis.py --data FOLDER --only ours       without them

The ten: by month, segment and channel, at once, each alone, and by two threads. Then contacts and events by month and channel of purchases and of everything, and of page views by month and page.
One thread each; processor time, the median counts (least and most beside it); threads on the wall. Each peer has its best idioms on one table of events sorted by contact and time, and on
any layout, with integer ids, enums and integer cents, in a process of its own.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import journeyman as jm

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from data import CHANNELS, PAGES, SEGMENTS  # noqa: E402
from kpis_peers import ENGINES, MONTHLY, QUESTIONS, digest  # noqa: E402

KPIS = {
    "active": "contacts(any)", "opened": "contacts(email_opened)", "sent": "contacts(email_sent)", "revenue": "sum(purchase.amount_cents)", "orders": "events(purchase)",
    "referrals": "events(referral_made)", "leads": "new(form_submitted)", "customers": "new(purchase)", "repurchase90": "converted(purchase, purchase, within 90d)", "spend": "spend()",
}  # fmt: skip
WHO = {"b2c_freelance": "freelance", "b2c_unemployed": "unemployed", "b2b_hr": "hr", "b2b_manager": "manager"}
START, END = "2025-01-01T00:00:00Z", "2026-04-01T00:00:00Z"  # the year, and 90 days: nobody is immature


def ten() -> jm.Playbook:
    kpis = {name: {"value": value, "every": "month", "direction": "up", "by": ["segment", "acquired"]} for name, value in KPIS.items()}
    return jm.Playbook.from_dict({
        "timezone": "UTC", "kpis": kpis, "segments": {name: f'occupation == "{o}"' for name, o in WHO.items()},
        "dimensions": {"acquired": {"value": "contact.acquisition_channel", "spend": "channel"}},
    })  # fmt: skip


def monthly(question: str) -> jm.Playbook:
    by, event = MONTHLY[question]
    kpi = lambda measure: {"value": f"{measure}({event or 'any'})", "every": "month", "direction": "up", "by": [f"event.{by}"]}  # noqa: E731
    return jm.Playbook.from_dict({"timezone": "UTC", "kpis": {"contacts": kpi("contacts"), "events": kpi("events")}})


def ours(history: jm.History, only: tuple[str, ...] = (), threads: int = 1, question: str = "ten") -> jm.Kpis:
    return (ten() if question == "ten" else monthly(question)).kpis(history, start=START, end=END, only=only, threads=threads)


def answer(table: jm.Kpis, question: str) -> list[list[int]]:
    """The rows that the peers give: month, then numbers for names, then the KPIs in their order."""
    rows: dict[tuple[int, ...], dict[str, int]] = {}
    for r in table.to_pylist():
        if r["period"].year != 2025 or r["value"] in (None, 0):
            continue
        if question == "ten":
            if r["segment"] not in WHO or r["acquired"] is None:
                continue
            key = (r["period"].month, SEGMENTS.index(r["segment"]), CHANNELS.index(r["acquired"]))
        else:
            by = MONTHLY[question][0]
            if r[by] is None:
                continue
            key = (r["period"].month, (CHANNELS if by == "channel" else PAGES).index(r[by]))
        rows.setdefault(key, {})[r["kpi"]] = round(r["value"] * (100 if r["kpi"] == "spend" else 1))
    names = list(KPIS) if question == "ten" else ["contacts", "events"]
    return [[*key, *(values.get(n, 0) for n in names)] for key, values in rows.items()]


def once(call) -> tuple[float, float, object]:
    wall, own = time.perf_counter(), time.process_time()
    result = call()
    return (time.process_time() - own) * 1e3, (time.perf_counter() - wall) * 1e3, result


def take_turns(calls: dict, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            own, wall, _ = once(call)
            times[name][0].append(own)
            times[name][1].append(wall)
    return times


def said(times: list[float]) -> str:
    return f"{statistics.median(times):8.1f} ms ({min(times):.1f} to {max(times):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engines", nargs="*", default=list(ENGINES))
    parser.add_argument("--only", choices=["ours"])
    parser.add_argument("--questions", nargs="+", default=list(QUESTIONS))
    args = parser.parse_args()
    history = jm.History(**{t: args.data / f"{t}.parquet" for t in ("contacts", "events", "spend")})
    results: dict[str, object] = {"machine": platform.processor() or platform.machine(), "events": history.events_count, "contacts": history.contacts_count, "load": os.getloadavg()}
    print(f"{history.events_count:,} events, {history.contacts_count:,} contacts, load {os.getloadavg()[0]:.1f}")

    peers = {}
    for engine in [] if args.only == "ours" else args.engines:
        asked = [sys.executable, str(HERE / "kpis_peers.py"), engine, "--data", str(args.data), "--questions", *args.questions, "--rounds", str(args.rounds)]
        peers[engine] = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    times = take_turns({q: (lambda q=q: ours(history, question=q)) for q in args.questions} | {f"{q}, two threads": (lambda q=q: ours(history, question=q, threads=2)) for q in args.questions}, args.rounds)
    for question in args.questions:
        expected, mine = digest(answer(ours(history, question=question), question)), times[question]
        print(f"{question:12} {'Journeyman':46} {said(mine[0])}   two threads {statistics.median(mine[1]) / statistics.median(times[f'{question}, two threads'][1]):.2f} times one on the wall")
        for engine, found in peers.items():
            tried = found["questions"][question]
            wrong = [t["idiom"] for t in tried if t["digest"] != expected]
            if wrong:
                sys.exit(f"{engine} answers {question} differently: {wrong}")
            for layout in ("table", "any"):
                best = min((t for t in tried if t["layout"] == layout and "ms" in t), key=lambda t: t["median"])
                print(f"{'':12} {engine + ' ' + found['version'] + ' ' + layout + ': ' + best['idiom']:46} {said(best['ms'])}   {best['median'] / statistics.median(mine[0]):5.1f} times ours")
    results["peers"], results["questions"] = peers, times
    if "ten" in args.questions:
        calls = {"all ten": lambda: ours(history)} | {name: (lambda n=name: ours(history, (n,))) for name in KPIS}
        times = take_turns(calls, args.rounds)
        for name, (own, _) in times.items():
            print(f"{name:20} {said(own)}")
        alone = {n: statistics.median(times[n][0]) for n in KPIS}
        dearest = max(alone, key=lambda n: alone[n])
        print(f"all ten cost {statistics.median(times['all ten'][0]) / alone[dearest]:.2f} times the dearest alone ({dearest})")
        results["alone"] = times
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "kpis.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
