"""Ten KPIs by month, segment and channel: Journeyman beside DuckDB, Polars and (where it is installed) chDB, answers checked equal.

    python bench/kpis.py --data FOLDER [--rounds 5]      the folder of bench/data.py
    python bench/kpis.py --data FOLDER --only ours       the ten, each alone, and by two threads

One thread each; processor time, in turns, the median counts (least and most beside it); threads on the wall. Each peer has its best idioms on one table of
events sorted by contact and time, with integer ids, enums and integer cents.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # before any import that reads it

import argparse
import json
import pathlib
import platform
import statistics
import sys
import time

import journeyman as jm
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from data import CHANNELS, NAMES, SEGMENTS  # noqa: E402

KPIS = {
    "active": "contacts(any)", "opened": "contacts(email_opened)", "sent": "contacts(email_sent)", "revenue": "sum(purchase.amount_cents)", "orders": "events(purchase)",
    "referrals": "events(referral_made)", "leads": "new(form_submitted)", "customers": "new(purchase)", "repurchase90": "converted(purchase, purchase, within 90d)", "spend": "spend()",
}  # fmt: skip
WHO = {"b2c_freelance": "freelance", "b2c_unemployed": "unemployed", "b2b_hr": "hr", "b2b_manager": "manager"}
START, END = "2025-01-01T00:00:00Z", "2026-04-01T00:00:00Z"  # the year, and 90 days: nobody is immature
BY = ("m", "seg", "acq")


def playbook() -> jm.Playbook:
    kpis = {name: {"value": value, "every": "month", "direction": "up", "by": ["segment", "acquired"]} for name, value in KPIS.items()}
    return jm.Playbook.from_dict({
        "timezone": "UTC", "kpis": kpis, "segments": {name: f'occupation == "{o}"' for name, o in WHO.items()},
        "dimensions": {"acquired": {"value": "contact.acquisition_channel", "spend": "channel"}},
    })  # fmt: skip


def ours(history: jm.History, only: tuple[str, ...] = (), threads: int = 1) -> jm.Kpis:
    return playbook().kpis(history, start=START, end=END, only=only, threads=threads)


def answer(table: jm.Kpis) -> dict[tuple[int, str, str], dict[str, int]]:
    out: dict[tuple[int, str, str], dict[str, int]] = {}
    for r in table.to_pylist():
        if r["segment"] in WHO and r["acquired"] is not None and r["period"].year == 2025:
            unit = 100 if r["kpi"] == "spend" else 1
            out.setdefault((r["period"].month, r["segment"], r["acquired"]), {})[r["kpi"]] = round(r["value"] * unit)
    return out


def named(rows: list) -> dict[tuple[int, str, str], dict[str, int]]:
    """Of rows month, segment, channel, then the ten in their order; numbers for names."""
    return {(m, SEGMENTS[s], CHANNELS[a]): dict(zip(KPIS, (int(x or 0) for x in values), strict=True)) for m, s, a, *values in rows}


def tables(folder: pathlib.Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    """As the peers like them: integer ids, numbers for names, cents, sorted."""
    number = lambda column, names: pc.index_in(column.cast(pa.string()), pa.array(names)).cast(pa.int8())  # noqa: E731
    c, e, s = (pq.read_table(folder / f"{t}.parquet") for t in ("contacts", "events", "spend"))
    ids = lambda column: pc.utf8_slice_codeunits(column, 1).cast(pa.int32())  # noqa: E731
    contacts = pa.table({"cid": ids(c["contact_id"]), "seg": number(c["occupation"], list(WHO.values())), "acq": number(c["acquisition_channel"], CHANNELS)})
    events = pa.table({"cid": ids(e["contact_id"]), "event": number(e["event"], NAMES), "ts": e["timestamp"].cast(pa.timestamp("us")), "cents": e["amount_cents"]})
    cents = pc.round(pc.multiply(s["amount"], 100.0)).cast(pa.int64())
    spend = pa.table({"ts": s["timestamp"].cast(pa.timestamp("us")), "acq": number(s["channel"], CHANNELS), "seg": number(s["segment"], SEGMENTS), "cents": cents})
    return contacts.filter(pc.is_valid(contacts["seg"])), events.sort_by([("cid", "ascending"), ("ts", "ascending")]), spend


def code(name: str) -> int:
    return NAMES.index(name)


def duckdb_calls(contacts: pa.Table, events: pa.Table, spend: pa.Table) -> dict:
    import duckdb

    db = duckdb.connect()
    db.execute("SET threads=1; SET perfect_ht_threshold=20")
    for name, table in (("contacts", contacts), ("ev", events), ("spend", spend)):
        db.register("given", table)
        db.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        db.unregister("given")
    is_ = lambda name: f"event = {code(name)}"  # noqa: E731
    bit = "1<<(month(ts)-1)::INTEGER"
    rest = f"""p AS (SELECT month(l[1]) m, seg, acq, count(*) customers, count(*) FILTER (l[2]<=l[1]+INTERVAL 90 DAY) rep
          FROM (SELECT cid, min(ts, 2) l FROM ev WHERE {is_('purchase')} GROUP BY cid) JOIN contacts USING (cid) GROUP BY ALL),
        sp AS (SELECT month(ts) m, seg, acq, sum(cents) spend FROM spend GROUP BY ALL)"""
    last = """SELECT m, seg, acq, active, opened, sent, rev, n, r, leads, customers, rep, spend FROM x {} LEFT JOIN f USING (m, seg, acq) LEFT JOIN p USING (m, seg, acq)
        LEFT JOIN sp USING (m, seg, acq)"""
    monthly = f"""WITH cm AS MATERIALIZED (SELECT cid, month(ts) m, bool_or({is_('email_opened')}) o, bool_or({is_('email_sent')}) s, sum(cents) FILTER ({is_('purchase')}) rev,
          count(*) FILTER ({is_('purchase')}) n, count(*) FILTER ({is_('referral_made')}) r, min(ts) FILTER ({is_('form_submitted')}) ff FROM ev GROUP BY ALL),
        x AS (SELECT m, seg, acq, count(*) active, sum(o::INT) opened, sum(s::INT) sent, sum(rev) rev, sum(n) n, sum(r) r FROM cm JOIN contacts USING (cid) GROUP BY ALL),
        f AS (SELECT month(t) m, seg, acq, count(*) leads FROM (SELECT cid, min(ff) t FROM cm WHERE ff IS NOT NULL GROUP BY cid) JOIN contacts USING (cid) GROUP BY ALL), {rest} {last.format('')}"""
    bits = f"""WITH cb AS MATERIALIZED (SELECT cid, bit_or({bit}) a, bit_or(CASE WHEN {is_('email_opened')} THEN {bit} ELSE 0 END) o,
          bit_or(CASE WHEN {is_('email_sent')} THEN {bit} ELSE 0 END) s, min(ts) FILTER ({is_('form_submitted')}) ff FROM ev GROUP BY cid),
        cs AS MATERIALIZED (SELECT a, o, s, ff, seg, acq FROM cb JOIN contacts USING (cid)),
        x AS (SELECT m+1 m, seg, acq, count(*) FILTER ((a>>m)&1=1) active, count(*) FILTER ((o>>m)&1=1) opened, count(*) FILTER ((s>>m)&1=1) sent FROM cs, range(12) g(m) GROUP BY ALL),
        y AS (SELECT month(ts) m, seg, acq, sum(cents) FILTER ({is_('purchase')}) rev, count(*) FILTER ({is_('purchase')}) n, count(*) FILTER ({is_('referral_made')}) r
          FROM ev JOIN contacts USING (cid) WHERE event IN ({code('purchase')}, {code('referral_made')}) GROUP BY ALL),
        f AS (SELECT month(ff) m, seg, acq, count(*) leads FROM cs WHERE ff IS NOT NULL GROUP BY ALL), {rest} {last.format('LEFT JOIN y USING (m, seg, acq)')}"""
    return {f"DuckDB {duckdb.__version__} {idiom}": (lambda q=q: named(db.execute(q).fetchall())) for idiom, q in (("contact_months", monthly), ("bits", bits))}


def polars_calls(contacts: pa.Table, events: pa.Table, spend: pa.Table) -> dict:
    import polars as pl

    c = pl.col
    who, all_events, money = (pl.from_arrow(t) for t in (contacts, events, spend))
    streams = {n: all_events.filter(c("event") == code(n)) for n in ("email_opened", "email_sent", "purchase", "referral_made", "form_submitted")}   # any layout: a table for each event
    one = {n: (lambda n=n: all_events.lazy().filter(c("event") == code(n))) for n in streams}
    month = c("ts").dt.month()

    def ask(of):
        by = list(BY)
        cells = lambda frame: frame.join(who.lazy(), on="cid").group_by(month.alias("m"), "seg", "acq")  # noqa: E731

        def active(frame):  # sorted by contact and time: a new month or contact begins a run
            return frame.select("cid", m=month).filter((c("cid") != c("cid").shift(1, fill_value=-1)) | (c("m") != c("m").shift(1, fill_value=0))).join(who.lazy(), on="cid").group_by(by).len()

        first = lambda frame: frame.filter(c("cid") != c("cid").shift(1, fill_value=-1))  # noqa: E731
        bought = of("purchase").with_columns(nx=pl.when(c("cid") == c("cid").shift(-1)).then(c("ts").shift(-1)))
        parts = [
            active(all_events.lazy()).rename({"len": "active"}), active(of("email_opened")).rename({"len": "opened"}), active(of("email_sent")).rename({"len": "sent"}),
            cells(of("purchase")).agg(c("cents").sum().alias("rev"), pl.len().alias("n")), cells(of("referral_made")).agg(pl.len().alias("r")), cells(first(of("form_submitted"))).agg(pl.len().alias("leads")),
            cells(first(bought)).agg(pl.len().alias("customers"), (c("nx") <= c("ts") + pl.duration(days=90)).sum().alias("rep")), money.lazy().group_by(month.alias("m"), "seg", "acq").agg(c("cents").sum().alias("spend")),
        ]  # fmt: skip
        out = parts[0]
        for p in parts[1:]:
            out = out.join(p, on=by, how="left")
        return named(out.select(by + ["active", "opened", "sent", "rev", "n", "r", "leads", "customers", "rep", "spend"]).collect().rows())

    return {f"Polars {pl.__version__} runs, one table": lambda: ask(lambda n: one[n]()), f"Polars {pl.__version__} runs, a table for each event": lambda: ask(lambda n: streams[n].lazy())}


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
    parser.add_argument("--only", choices=["ours", "peers"])
    args = parser.parse_args()
    history = jm.History(**{t: args.data / f"{t}.parquet" for t in ("contacts", "events", "spend")})
    results: dict[str, object] = {"machine": platform.processor() or platform.machine(), "events": history.events_count, "contacts": history.contacts_count, "load": os.getloadavg()}
    print(f"{history.events_count:,} events, {history.contacts_count:,} contacts, load {os.getloadavg()[0]:.1f}")

    if args.only != "ours":
        calls = {"Journeyman": lambda: ours(history)}
        prepared = tables(args.data)
        calls |= duckdb_calls(*prepared) | polars_calls(*prepared)
        expected = answer(ours(history))
        for name, call in calls.items():
            got = answer(call()) if name == "Journeyman" else call()
            if got != expected:
                differs = next((k for k in expected if got.get(k) != expected[k]), None)
                sys.exit(f"{name} answers differently: {differs}: {got.get(differs)}, expected {expected.get(differs)}")
        print(f"answers are equal: {len(expected)} cells of ten")
        times = take_turns(calls, args.rounds)
        for name, (own, _) in times.items():
            print(f"{name:45} {said(own)}   {statistics.median(own) / statistics.median(times['Journeyman'][0]):5.1f} times ours")
        results["ten"] = {name: own for name, (own, _) in times.items()}
    if args.only != "peers":
        calls = {"all ten": lambda: ours(history)} | {name: (lambda n=name: ours(history, (n,))) for name in KPIS} | {"two threads": lambda: ours(history, threads=2)}
        times = take_turns(calls, args.rounds)
        for name, (own, wall) in times.items():
            print(f"{name:20} {said(own)}   on the wall {said(wall)}")
        alone = {n: statistics.median(times[n][0]) for n in KPIS}
        dearest = max(alone, key=lambda n: alone[n])
        print(f"all ten cost {statistics.median(times['all ten'][0]) / alone[dearest]:.2f} times the dearest alone ({dearest}); two threads {statistics.median(times['all ten'][1]) / statistics.median(times['two threads'][1]):.2f} times one")
        results["alone"] = {name: t for name, t in times.items()}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "kpis.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
