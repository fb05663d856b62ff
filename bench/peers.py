"""The same questions for DuckDB and Polars, each in the best idioms we know; the fastest one counts.

Layouts: `table` is one table of all events sorted by contact and time, which is what a user has; `streams` is a table for each event name,
sorted by contact and time, which is what Journeyman keeps. Contact ids are integers, names and pages are enums, money is integer cents:
what suits the peers best. One thread each. A better idiom is welcome.
"""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before the import

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
from data import CHANNELS, COUNTRIES, NAMES, OCCUPATIONS, PAGES
from questions import AT, CARTS_UNTIL, DAY, DECEMBER, END, EVERYWHERE, NOVEMBER, START, TEXTS

GAP = 40_000_000_000_000  # longer than a year and any window: keeps contacts apart in one key of (contact, time)
col = pl.col
Variant = tuple[str, str, Callable[[], Any]]  # layout, idiom, call → answer


def micro(at: int) -> pl.Expr:
    return pl.lit(at).cast(pl.Datetime("us"))


class Polars:
    version = pl.__version__

    def __init__(self, contacts: pa.Table, events: pa.Table) -> None:
        text = lambda name: col(name).cast(pl.String)  # noqa: E731
        tidy = pl.DataFrame(pl.from_arrow(events)).select(
            cid=col("contact_id").cast(pl.Int32), event=text("event").cast(pl.Enum(NAMES)), ts=col("timestamp").dt.replace_time_zone(None),
            channel=text("channel").cast(pl.Enum(CHANNELS)), page=text("page").cast(pl.Enum(PAGES)), cents="amount_cents", cart="cart_id")  # fmt: skip
        self.table = tidy.sort("cid", "ts").with_columns(col("cid").set_sorted())
        parts = self.table.partition_by("event", as_dict=True, maintain_order=True)
        self.streams = {str(k[0]): v.with_columns(col("cid").set_sorted()) for k, v in parts.items()}
        self.contacts = pl.DataFrame(pl.from_arrow(contacts)).select(
            cid=col("contact_id").cast(pl.Int32), audience=text("audience").cast(pl.Enum(["B2B", "B2C"])),
            occupation=text("occupation").cast(pl.Enum(OCCUPATIONS)), country=text("country").cast(pl.Enum(COUNTRIES)))  # fmt: skip

    def ids(self, question: str) -> list[int]:
        """Who is in, for the comparison of answers."""
        found = next(iter(self._members("table")[question].values()))()
        return sorted(found.collect()["cid"].unique().to_list())

    def variants(self, question: str) -> Iterator[Variant]:
        for layout in ("table", "streams"):
            for idiom, plan in self._plans(question, layout).items():
                for engine in ("in-memory", "streaming"):
                    yield layout, f"{idiom}, {engine}", (lambda p=plan, e=engine: self._answer(p(), e))

    @staticmethod
    def _answer(plan: Any, engine: Any) -> Any:
        if isinstance(plan, list):
            return [int(x.item()) for x in pl.collect_all(plan, engine=engine)]
        row = plan.collect(engine=engine).row(0)
        return [int(v or 0) for v in row] if len(row) > 1 else int(row[0])

    def _plans(self, question: str, layout: str) -> dict[str, Callable[[], Any]]:
        if question == "membership":
            return {"shift": lambda: self._membership(layout)}
        members = self._members(layout)
        if question == "all_twelve":
            best = {"last_page": "next_row", "sequence": "asof", "distinct_pages": "unique", "inactive": "next_row"}
            return {"collect_all": lambda: [members[q][best.get(q, next(iter(members[q])))]().select(pl.len()) for q in TEXTS]}
        return {idiom: (lambda p=plan: p().select(pl.len())) for idiom, plan in members[question].items()}

    def _events(self, name: str, layout: str) -> pl.LazyFrame:
        return self.table.lazy().filter(col("event") == name) if layout == "table" else self.streams[name].lazy()

    def _members(self, layout: str) -> dict[str, dict[str, Callable[[], pl.LazyFrame]]]:
        """question → idiom → a plan whose rows are the contacts that are in, by `cid`."""
        ev = lambda name: self._events(name, layout)  # noqa: E731
        key = (col("cid").cast(pl.Int64) - 200_000) * GAP + (col("ts").cast(pl.Int64) - START)
        seen = col("ts") <= micro(AT)
        within = lambda days: (col("ts") > micro(AT - days * DAY)) & seen  # noqa: E731
        last_row = col("cid") != col("cid").shift(-1, fill_value=-1)

        def grouped(frame: pl.LazyFrame, having: pl.Expr) -> pl.LazyFrame:
            return frame.group_by("cid").agg(having.alias("yes")).filter("yes").select("cid")

        # Three steps within 14 days: the latest start that reaches each step, carried forward.
        steps: list[tuple[str, pl.Expr | None]] = [("page_viewed", col("page") == "/p3"), ("trial_started", None), ("purchase", None)]
        window = 14 * DAY

        def chain() -> pl.LazyFrame:
            if layout == "table":
                number = pl.coalesce([pl.when((col("event") == n) & (True if x is None else x)).then(pl.lit(i + 1, pl.Int8)) for i, (n, x) in enumerate(steps)])
                rows = self.table.lazy().filter(col("event").is_in([n for n, _ in steps])).filter(seen).select("cid", k=key, e=number).filter(col("e").is_not_null())
            else:
                rows = pl.concat([(ev(n) if x is None else ev(n).filter(x)).filter(seen).select("cid", k=key, e=pl.lit(i + 1, pl.Int8)) for i, (n, x) in enumerate(steps)]).sort("k")
            rows = rows.with_columns(s1=pl.when(col("e") == 1).then(col("k")).forward_fill())
            for j in (2, 3):
                hit = (col("e") == j) & (col("k") - col(f"s{j - 1}") <= window)
                rows = rows.with_columns(pl.when(hit).then(col(f"s{j - 1}")).forward_fill().alias(f"s{j}"), hit.alias(f"q{j}"))
            return rows.filter("q3").select("cid").unique()

        def asof() -> pl.LazyFrame:
            rows = [(ev(n) if x is None else ev(n).filter(x)).filter(seen).select("cid", k=key).with_columns(col("k").set_sorted()) for n, x in steps]
            reached = rows[0].with_columns(s=col("k"))
            for r in rows[1:]:
                reached = r.join_asof(reached.select("k", "s"), on="k").filter(col("k") - col("s") <= window).with_columns(col("k").set_sorted())
            return reached.select("cid").unique()

        def cart(on: list[str]) -> pl.LazyFrame:
            carts = ev("cart_started").filter((col("ts") >= micro(DECEMBER)) & (col("ts") < micro(CARTS_UNTIL))).select("cid", "ts", "cart")
            bought = ev("purchase").filter((col("ts") >= micro(DECEMBER)) & col("cart").is_not_null()).select(*on, bought="ts")
            none = col("bought").is_null() | (col("bought") < col("ts")) | (col("bought") > col("ts") + pl.duration(hours=1))
            return carts.join(bought, on=on, how="left").filter(none).select("cid").unique()

        members: dict[str, dict[str, Callable[[], pl.LazyFrame]]] = {
            "count_30d": {"group": lambda: grouped(ev("purchase").filter(within(30)), pl.len() >= 2)},
            "sum_year": {"group": lambda: grouped(ev("purchase").filter(col("ts").is_between(micro(START), micro(AT))), col("cents").sum() > 100_000)},
            "did_never": {"anti": lambda: ev("webinar_attended").filter(seen).select("cid").unique().join(
                ev("purchase").filter(within(90)).select("cid").unique(), on="cid", how="anti")},
            "last_page": {
                "last": lambda: grouped(ev("page_viewed").filter(seen), col("page").last() == "/p7"),
                "next_row": lambda: ev("page_viewed").filter(seen).filter((col("page") == "/p7") & last_row).select("cid"),
            },
            "attributes": {"filter": lambda: self.contacts.lazy().filter((col("audience") == "B2C") & (col("occupation") == "freelance")).select("cid")},
            "sequence": {"key": chain, "asof": asof},
            "cart_without_purchase": {"join": lambda: cart(["cid", "cart"]), "join on cart": lambda: cart(["cart"])},
            "distinct_pages": {
                "n_unique": lambda: grouped(ev("page_viewed").filter(within(60)), col("page").n_unique() >= 10),
                "unique": lambda: grouped(ev("page_viewed").filter(within(60)).select("cid", "page").unique(), pl.len() >= 10),
                "bits": lambda: ev("page_viewed").filter(within(60)).group_by("cid")
                    .agg(b=(pl.lit(2, pl.Int64).pow(col("page").to_physical().cast(pl.Int64))).bitwise_or())
                    .filter(col("b").bitwise_count_ones() >= 10).select("cid"),
            },
            "previous_month": {"group": lambda: grouped(ev("email_opened").filter((col("ts") >= micro(NOVEMBER)) & (col("ts") < micro(DECEMBER))), pl.len() >= 3)},
            "inactive": {
                "max": lambda: grouped(ev("login").filter(seen), col("ts").max() < micro(AT - 60 * DAY)),
                "next_row": lambda: ev("login").filter(seen).filter(last_row & (col("ts") < micro(AT - 60 * DAY))).select("cid"),
            },
        }  # fmt: skip

        def nested() -> pl.LazyFrame:
            found = members["attributes"]["filter"]().join(members["previous_month"]["group"](), on="cid", how="semi")
            return found.join(members["inactive"]["next_row"](), on="cid", how="anti")

        def eight() -> pl.LazyFrame:
            who = self.contacts.lazy().filter((col("audience") == "B2C") & col("country").is_in(EVERYWHERE)).select("cid")
            views = ev("page_viewed").filter(seen)
            for found in [
                ev("login").filter(within(60)).select("cid").unique(),
                grouped(ev("purchase").filter(col("ts").is_between(micro(START), micro(AT))), col("cents").sum() > 10_000),
                grouped(views.filter(within(90)), pl.len() >= 5),
                views.filter((col("page") != "/p7") & last_row).select("cid"),
            ]:
                who = who.join(found, on="cid", how="semi")
            who = who.join(ev("refund").filter(within(180)).select("cid").unique(), on="cid", how="anti")
            pages = views.filter(within(90)).join(who, on="cid", how="semi").select("cid", "page").unique()
            return who.join(grouped(pages, pl.len() >= 3), on="cid", how="semi")

        members["nested"] = {"joins": nested}
        members["eight_clauses"] = {"joins": eight}
        return members

    def _membership(self, layout: str) -> pl.LazyFrame:
        """Stays in `count(purchase, last 30d) >= 2`: how many, their length in all within the year, how many have ended."""
        k, window, base = col("k"), 30 * DAY, (col("cid").cast(pl.Int64) - 200_000) * GAP
        rows = self._events("purchase", layout).select("cid", k=base + (col("ts").cast(pl.Int64) - START))
        rows = rows.with_columns(a=k.shift(1), b=k.shift(2), nx=k.shift(-1)).filter(k < col("a") + window)
        begins, ends = (k > col("b") + window).fill_null(True), (col("nx") > col("a") + window).fill_null(True)
        rows = rows.select("cid", "k", leaves=col("a") + window, begins=begins, ends=ends).filter(col("begins") | col("ends"))
        rows = rows.with_columns(leaves=pl.when("ends").then(col("leaves")).otherwise(col("leaves").shift(-1))).filter("begins")
        rows = rows.select(e=k - base, leaves=col("leaves") - base)
        until = pl.min_horizontal(col("leaves"), pl.lit(END - START))
        return rows.select(pl.len(), (until - col("e")).sum().alias("inside"), (col("leaves") < END - START).sum().alias("left"))


class DuckDB:
    version = duckdb.__version__

    def __init__(self, contacts: pa.Table, events: pa.Table) -> None:
        self.connection = connection = duckdb.connect()
        connection.execute("SET threads=1; SET TimeZone='UTC'")
        for name, values in {"event_t": NAMES, "channel_t": CHANNELS, "page_t": PAGES}.items():
            connection.execute(f"CREATE TYPE {name} AS ENUM ({','.join(map(repr, values))})")
        connection.register("arrow_events", events)
        connection.register("arrow_contacts", contacts)
        connection.execute("""CREATE TABLE events AS SELECT contact_id::INTEGER cid, event::VARCHAR::event_t event, timestamp::TIMESTAMP ts,
            channel::VARCHAR::channel_t channel, page::VARCHAR::page_t page, amount_cents cents, cart_id cart FROM arrow_events ORDER BY cid, ts""")
        connection.execute("CREATE TABLE streams AS SELECT * FROM events ORDER BY event, cid, ts")  # its zone maps skip whole names
        connection.execute("""CREATE TABLE contacts AS SELECT contact_id::INTEGER cid, audience::VARCHAR audience, occupation::VARCHAR occupation,
            country::VARCHAR country FROM arrow_contacts ORDER BY cid""")
        connection.unregister("arrow_events")
        connection.unregister("arrow_contacts")

    def variants(self, question: str) -> Iterator[Variant]:
        for idiom, sql in self._statements(question).items():
            for layout in ("table", "streams") if "{events}" in sql else ("table",):
                for bits in (12, 20):  # how wide its perfect hashing may be
                    query = sql.format(events="events" if layout == "table" else "streams")
                    yield layout, f"{idiom}, {bits} bits", (lambda q=query, b=bits: self._answer(q, b))

    def _answer(self, query: str, bits: int) -> Any:
        self.connection.execute(f"SET perfect_ht_threshold={bits}")
        rows = self.connection.execute(query).fetchall()
        if len(rows) > 1:
            named = dict(rows)
            return [int(named[q]) for q in TEXTS]
        return [int(v or 0) for v in rows[0]] if len(rows[0]) > 1 else int(rows[0][0])

    def _statements(self, question: str) -> dict[str, str]:
        t = lambda us: f"make_timestamp({us}::BIGINT)"  # noqa: E731
        seen = f"ts<={t(AT)}"
        key = f"((cid-200000)::BIGINT*{GAP}+(epoch_us(ts)-{START}))"

        def within(name: str, days: int) -> str:
            return f"event='{name}' AND ts>{t(AT - days * DAY)} AND {seen}"

        def steps() -> dict[str, str]:
            kinds = ["event='page_viewed' AND page='/p3'", "event='trial_started'", "event='purchase'"]
            asof = [f"r1 AS (SELECT cid, ts, ts s FROM {{events}} WHERE {kinds[0]} AND {seen})"]
            for k in (2, 3):
                asof.append(
                    f"r{k} AS (SELECT b.cid, b.ts, a.s FROM (SELECT cid, ts FROM {{events}} WHERE {kinds[k - 1]} AND {seen}) b ASOF JOIN r{k - 1} a"
                    f" ON b.cid=a.cid AND b.ts>a.ts WHERE b.ts<=a.s+INTERVAL {14 * DAY} MICROSECOND)"
                )
            over = "OVER (PARTITION BY cid ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
            case = "CASE " + " ".join(f"WHEN {s} THEN {i + 1}" for i, s in enumerate(kinds)) + " END"
            rows = [
                f"f AS (SELECT cid, ({case})::TINYINT e, {key} k FROM {{events}} WHERE {seen} AND ({' OR '.join(f'({s})' for s in kinds)}))",
                f"w1 AS (SELECT cid, e, k, max(CASE WHEN e=1 THEN k END) {over} s FROM f)",
                f"w2 AS (SELECT cid, e, k, s s1, max(CASE WHEN e=2 AND k-s<={14 * DAY} THEN s END) {over} s FROM w1)",
            ]
            return {
                "asof": f"WITH {', '.join(asof)} SELECT DISTINCT cid FROM r3",
                "window": f"WITH {', '.join(rows)} SELECT DISTINCT cid FROM w2 WHERE e=3 AND k-s<={14 * DAY}",
            }

        members: dict[str, dict[str, str]] = {
            "count_30d": {"group": f"SELECT cid FROM {{events}} WHERE {within('purchase', 30)} GROUP BY cid HAVING count(*)>=2"},
            "sum_year": {"group": f"SELECT cid FROM {{events}} WHERE event='purchase' AND ts>={t(START)} AND {seen} GROUP BY cid HAVING sum(cents)>100000"},
            "did_never": {
                "group": f"SELECT cid FROM {{events}} WHERE {seen} AND (event='webinar_attended' OR (event='purchase' AND ts>{t(AT - 90 * DAY)}))"
                         " GROUP BY cid HAVING bool_and(event='webinar_attended')",
                "anti": f"SELECT DISTINCT cid FROM {{events}} a ANTI JOIN (SELECT cid FROM {{events}} WHERE {within('purchase', 90)}) b USING (cid)"
                        f" WHERE event='webinar_attended' AND {seen}",
            },
            "last_page": {
                "arg_max": f"SELECT cid FROM {{events}} WHERE event='page_viewed' AND {seen} GROUP BY cid HAVING arg_max(page, ts)='/p7'",
                "two_max": f"SELECT cid FROM {{events}} WHERE event='page_viewed' AND {seen} GROUP BY cid HAVING max(ts)=max(CASE WHEN page='/p7' THEN ts END)",
            },
            "attributes": {"where": "SELECT cid FROM contacts WHERE audience='B2C' AND occupation='freelance'"},
            "sequence": steps(),
            "cart_without_purchase": {
                "anti": f"SELECT DISTINCT cid FROM {{events}} c WHERE event='cart_started' AND ts>={t(DECEMBER)} AND ts<{t(CARTS_UNTIL)} AND NOT EXISTS"
                        f" (SELECT 1 FROM {{events}} p WHERE p.event='purchase' AND p.ts>={t(DECEMBER)} AND p.cid=c.cid AND p.cart=c.cart"
                        " AND p.ts>=c.ts AND p.ts<=c.ts+INTERVAL 1 HOUR)",
                "group": "SELECT DISTINCT cid FROM (SELECT cid, cart, min(ts) FILTER (event='cart_started') c, min(ts) FILTER (event='purchase') p FROM {events}"
                         f" WHERE event IN ('cart_started', 'purchase') AND cart IS NOT NULL AND ts>={t(DECEMBER)} AND {seen} GROUP BY 1, 2"
                         f" HAVING c<{t(CARTS_UNTIL)} AND (p IS NULL OR p>c+INTERVAL 1 HOUR))",
            },
            "distinct_pages": {
                "distinct": f"SELECT cid FROM {{events}} WHERE {within('page_viewed', 60)} GROUP BY cid HAVING count(DISTINCT page)>=10",
                "bits": f"SELECT cid FROM {{events}} WHERE {within('page_viewed', 60)} GROUP BY cid HAVING bit_count(bit_or(1::BIGINT<<enum_code(page)))>=10",
            },
            "previous_month": {"group": f"SELECT cid FROM {{events}} WHERE event='email_opened' AND ts>={t(NOVEMBER)} AND ts<{t(DECEMBER)} GROUP BY cid HAVING count(*)>=3"},
            "inactive": {"group": f"SELECT cid FROM {{events}} WHERE event='login' AND {seen} GROUP BY cid HAVING max(ts)<{t(AT - 60 * DAY)}"},
        }  # fmt: skip
        members["nested"] = {
            "joins": f"SELECT cid FROM ({members['attributes']['where']}) a SEMI JOIN ({members['previous_month']['group']}) b USING (cid)"
            f" ANTI JOIN ({members['inactive']['group']}) c USING (cid)"
        }
        recent = f"event='page_viewed' AND ts>{t(AT - 90 * DAY)}"
        having = (
            f"bool_or(event='login' AND ts>{t(AT - 60 * DAY)}) AND count(*) FILTER ({recent})>=5 AND sum(cents) FILTER (event='purchase')>10000"
            f" AND NOT bool_or(event='refund' AND ts>{t(AT - 180 * DAY)})"
            f" AND max(ts) FILTER (event='page_viewed')<>coalesce(max(ts) FILTER (page='/p7'), {t(0)})"
            f" AND bit_count(bit_or(1::BIGINT<<enum_code(page)) FILTER ({recent}))>=3"
        )
        who = f"cid IN (SELECT cid FROM contacts WHERE audience='B2C' AND country IN ({', '.join(map(repr, EVERYWHERE))}))"
        kinds = "event IN ('login', 'page_viewed', 'purchase', 'refund')"
        members["eight_clauses"] = {
            "contacts first": f"SELECT cid FROM {{events}} WHERE {seen} AND {kinds} AND {who} GROUP BY cid HAVING {having}",
            "contacts last": f"SELECT cid FROM (SELECT cid FROM {{events}} WHERE {seen} AND {kinds} GROUP BY cid HAVING {having}) WHERE {who}",
        }
        if question in members:
            return {idiom: f"SELECT count(*) FROM ({sql})" for idiom, sql in members[question].items()}
        if question == "all_twelve":
            best = {"distinct_pages": "bits", "last_page": "two_max", "cart_without_purchase": "group"}
            picked = {q: members[q][best.get(q, next(iter(members[q])))] for q in TEXTS}
            return {"union": " UNION ALL ".join(f"SELECT '{q}', count(*) FROM ({sql})" for q, sql in picked.items())}
        window, over = 30 * DAY, "OVER (PARTITION BY cid ORDER BY k)"
        return {
            "lag": f"""WITH p AS (SELECT cid, {key} k, lag({key}, 1) {over} a, lag({key}, 2) {over} b, lead({key}) {over} nx FROM {{events}} WHERE event='purchase'),
              q AS (SELECT cid, k, a+{window} l, coalesce(k>b+{window}, true) st, coalesce(nx>a+{window}, true) en FROM p WHERE k<a+{window}),
              z AS (SELECT cid, k, st, CASE WHEN en THEN l ELSE lead(l) {over} END l FROM q WHERE st OR en),
              y AS (SELECT k-(cid-200000)::BIGINT*{GAP} e, l-(cid-200000)::BIGINT*{GAP} l FROM z WHERE st)
              SELECT count(*), sum(least(l, {END - START})-e), count(*) FILTER (l<{END - START}) FROM y"""
        }
