"""The same questions for chDB (ClickHouse in process), in the best idioms we know; beside `peers.py`, whose words hold here too.

Layouts: `table` is a MergeTree by contact and time, merged to one part, and the same in its Memory engine; `streams` is one by event and time.
"""

import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import chdb
from chdb import session
from data import CHANNELS, COUNTRIES, NAMES, OCCUPATIONS, PAGES
from questions import AT, CARTS_UNTIL, DAY, DECEMBER, END, EVERYWHERE, HOUR, NOVEMBER, START, TEXTS

Variant = tuple[str, str, Callable[[], Any]]  # layout, idiom, call → answer
TABLES = {"ct": "table", "memory": "table", "et": "streams"}


def enum(values: list[str], more: str = "") -> str:
    return "Enum8(" + ", ".join(f"'{v}'={k}" for k, v in enumerate(values)) + more + ")"


class ChDB:
    version = chdb.__version__

    def __init__(self, folder: pathlib.Path) -> None:
        self.home = tempfile.mkdtemp(prefix="chdb")
        self.session = session.Session(self.home)
        run = self.session.query
        raw = " CODEC(NONE)"
        columns = (
            f"cid UInt32{raw}, event {enum(NAMES)}{raw}, ts DateTime64(6, 'UTC'){raw}, channel {enum(CHANNELS)}{raw},"
            f" page {enum(PAGES, more=', ' + chr(39) + '-' + chr(39) + '=63')}{raw}, cents Int64{raw}, cart Int64{raw}"
        )
        one = " SETTINGS max_threads=1, max_insert_threads=1"
        run("CREATE DATABASE b")
        run(f"CREATE TABLE b.ct ({columns}) ENGINE=MergeTree ORDER BY (cid, ts)")
        run(f"CREATE TABLE b.et ({columns}) ENGINE=MergeTree ORDER BY (event, ts)")
        run(f"CREATE TABLE b.memory ({columns.replace(raw, '')}) ENGINE=Memory")
        run(f"INSERT INTO b.ct SELECT toUInt32(substring(contact_id, 2)), event, timestamp, channel, ifNull(page, '-'), ifNull(amount_cents, 0),"
            f" ifNull(cart_id, 0) FROM file('{folder}/events.parquet', Parquet){one}, max_parsing_threads=1")  # fmt: skip
        run("OPTIMIZE TABLE b.ct FINAL")
        run(f"INSERT INTO b.et SELECT * FROM b.ct{one}")
        run("OPTIMIZE TABLE b.et FINAL")
        run(f"INSERT INTO b.memory SELECT * FROM b.ct ORDER BY cid, ts{one}")
        quoted = lambda values: enum(values).replace("'", "\\'")  # noqa: E731
        run(f"""CREATE TABLE b.contacts ENGINE=Memory AS SELECT toUInt32(substring(contact_id, 2)) cid, CAST(audience, '{quoted(["B2B", "B2C"])}') audience,
            CAST(occupation, '{quoted(OCCUPATIONS)}') occupation, CAST(country, '{quoted(COUNTRIES)}') country
            FROM file('{folder}/contacts.parquet', Parquet) ORDER BY cid""")

    def close(self) -> None:
        self.session.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def variants(self, question: str) -> Iterator[Variant]:
        for idiom, sql in self._statements(question).items():
            for name in TABLES if "{events}" in sql else ["ct"]:
                for in_order in (0, 1) if name == "ct" and "GROUP BY cid" in sql else (0,):
                    query = sql.format(events=f"b.{name}")
                    query += f" SETTINGS max_threads=1, optimize_aggregation_in_order={in_order}, joined_subquery_requires_alias=0"
                    yield TABLES[name], f"{idiom}, {name}{', in order' if in_order else ''}", (lambda q=query: self._answer(q))

    def _answer(self, query: str) -> Any:
        rows = [line.split("\t") for line in self.session.query(query, "TabSeparated").bytes().decode().splitlines()]
        if len(rows) > 1:
            named = dict(rows)
            return [int(named[q]) for q in TEXTS]
        return [int(v) for v in rows[0]] if len(rows[0]) > 1 else int(rows[0][0])

    def _statements(self, question: str) -> dict[str, str]:
        t = lambda us: f"fromUnixTimestamp64Micro({us}, 'UTC')"  # noqa: E731
        seen, micro = f"ts<={t(AT)}", "toUInt64(toUnixTimestamp64Micro(ts))"
        bit = "bitShiftLeft(toUInt64(1), CAST(page, 'Int8'))"
        recent = f"event='page_viewed' AND ts>{t(AT - 90 * DAY)}"

        def within(name: str, days: int) -> str:
            return f"event='{name}' AND ts>{t(AT - days * DAY)} AND {seen}"

        steps = "event='page_viewed', event='trial_started', event='purchase'"
        step_rows = "(event='page_viewed' AND page='/p3') OR event IN ('trial_started', 'purchase')"
        mix = (
            f"countIf(event='login' AND ts>{t(AT - 60 * DAY)})>0 AND countIf({recent})>=5 AND sumIf(cents, event='purchase')>10000"
            f" AND countIf(event='refund' AND ts>{t(AT - 180 * DAY)})=0 AND maxIf(ts, event='page_viewed')<>maxIf(ts, page='/p7')"
            f" AND bitCount(groupBitOrIf({bit}, {recent}))>=3"
        )
        who = f"cid IN (SELECT cid FROM b.contacts WHERE audience='B2C' AND country IN ({', '.join(map(repr, EVERYWHERE))}))"
        kinds = "event IN ('login', 'page_viewed', 'purchase', 'refund')"
        carts = f"ts>={t(DECEMBER)} AND ts<{t(CARTS_UNTIL)}"
        members: dict[str, dict[str, str]] = {
            "count_30d": {"group": f"SELECT cid FROM {{events}} WHERE {within('purchase', 30)} GROUP BY cid HAVING count()>=2"},
            "sum_year": {"group": f"SELECT cid FROM {{events}} WHERE event='purchase' AND ts>={t(START)} AND {seen} GROUP BY cid HAVING sum(cents)>100000"},
            "did_never": {
                "group": f"SELECT cid FROM {{events}} WHERE {seen} AND (event='webinar_attended' OR (event='purchase' AND ts>{t(AT - 90 * DAY)}))"
                         " GROUP BY cid HAVING countIf(event='purchase')=0",
                "in": f"SELECT DISTINCT cid FROM {{events}} WHERE event='webinar_attended' AND {seen} AND cid NOT IN"
                      f" (SELECT cid FROM {{events}} WHERE {within('purchase', 90)})",
            },
            "last_page": {
                "arg_max": f"SELECT cid FROM {{events}} WHERE event='page_viewed' AND {seen} GROUP BY cid HAVING argMax(page, ts)='/p7'",
                "two_max": f"SELECT cid FROM {{events}} WHERE event='page_viewed' AND {seen} GROUP BY cid HAVING max(ts)=maxIf(ts, page='/p7')",
            },
            "attributes": {"where": "SELECT cid FROM b.contacts WHERE audience='B2C' AND occupation='freelance'"},
            "sequence": {"window_funnel": f"SELECT cid FROM {{events}} WHERE {seen} AND ({step_rows}) GROUP BY cid HAVING windowFunnel({14 * DAY})({micro}, {steps})=3"},
            "cart_without_purchase": {
                "group": f"SELECT DISTINCT cid FROM (SELECT cid, cart, minIf(ts, event='cart_started') c, minIf(ts, event='purchase') p, countIf(event='purchase') n"
                         f" FROM {{events}} WHERE event IN ('cart_started', 'purchase') AND cart>0 AND ts>={t(DECEMBER)} AND {seen} GROUP BY cid, cart"
                         f" HAVING countIf(event='cart_started')>0 AND c<{t(CARTS_UNTIL)} AND (n=0 OR toUnixTimestamp64Micro(p)-toUnixTimestamp64Micro(c)>{HOUR}))",
                "join": f"SELECT DISTINCT c.cid AS cid FROM (SELECT cid, cart, ts FROM {{events}} WHERE event='cart_started' AND {carts}) c LEFT JOIN"
                        f" (SELECT cid, cart, ts AS p, 1 AS y FROM {{events}} WHERE event='purchase' AND cart>0 AND ts>={t(DECEMBER)}) b"
                        f" ON c.cid=b.cid AND c.cart=b.cart WHERE y=0 OR toUnixTimestamp64Micro(p)-toUnixTimestamp64Micro(c.ts)>{HOUR}",
            },
            "distinct_pages": {
                "bits": f"SELECT cid FROM {{events}} WHERE {within('page_viewed', 60)} GROUP BY cid HAVING bitCount(groupBitOr({bit}))>=10",
                "uniq": f"SELECT cid FROM {{events}} WHERE {within('page_viewed', 60)} GROUP BY cid HAVING uniqExact(page)>=10",
            },
            "previous_month": {"group": f"SELECT cid FROM {{events}} WHERE event='email_opened' AND ts>={t(NOVEMBER)} AND ts<{t(DECEMBER)} GROUP BY cid HAVING count()>=3"},
            "inactive": {"group": f"SELECT cid FROM {{events}} WHERE event='login' AND {seen} GROUP BY cid HAVING max(ts)<{t(AT - 60 * DAY)}"},
        }  # fmt: skip
        members["nested"] = {
            "in": f"{members['attributes']['where']} AND cid IN ({members['previous_month']['group']}) AND cid NOT IN ({members['inactive']['group']})"
        }
        members["eight_clauses"] = {
            "contacts first": f"SELECT cid FROM {{events}} WHERE {seen} AND {kinds} AND {who} GROUP BY cid HAVING {mix}",
            "contacts last": f"SELECT cid FROM (SELECT cid FROM {{events}} WHERE {seen} AND {kinds} GROUP BY cid HAVING {mix}) WHERE {who}",
        }
        if question in members:
            return {idiom: f"SELECT count() FROM ({sql})" for idiom, sql in members[question].items()}
        if question == "all_twelve":
            picked = {q: members[q]["two_max" if q == "last_page" else next(iter(members[q]))] for q in TEXTS}
            union = " UNION ALL ".join(f"SELECT '{q}' s, count() n FROM ({sql})" for q, sql in picked.items())
            folds = {
                "count_30d": f"countIf(event='purchase' AND ts>{t(AT - 30 * DAY)})>=2",
                "sum_year": "sumIf(cents, event='purchase')>100000",
                "distinct_pages": f"bitCount(groupBitOrIf({bit}, event='page_viewed' AND ts>{t(AT - 60 * DAY)}))>=10",
                "last_page": "(maxIf(ts, event='page_viewed')=maxIf(ts, page='/p7') AND countIf(page='/p7')>0)",
                "did_never": f"(countIf(event='webinar_attended')>0 AND countIf(event='purchase' AND ts>{t(AT - 90 * DAY)})=0)",
                "sequence": f"windowFunnelIf({14 * DAY})({micro}, {steps}, {step_rows})=3",
                "previous_month": f"countIf(event='email_opened' AND ts>={t(NOVEMBER)} AND ts<{t(DECEMBER)})>=3",
                "inactive": f"(countIf(event='login')>0 AND maxIf(ts, event='login')<{t(AT - 60 * DAY)})",
                "eight_clauses": f"({mix})",
            }
            inner = f"SELECT cid, {', '.join(f'{x} AS {q}' for q, x in folds.items())} FROM {{events}} WHERE {seen} GROUP BY cid"
            counts = {q: f"countIf({q})" for q in folds}
            counts["eight_clauses"] = f"countIf(eight_clauses AND {who})"
            counts["nested"] = f"countIf(previous_month AND NOT inactive AND cid IN ({members['attributes']['where']}))"
            pairs = ", ".join(f"('{q}', toUInt64({x}))" for q, x in counts.items())
            rest = " UNION ALL ".join(f"SELECT '{q}' s, count() n FROM ({picked[q]})" for q in ("attributes", "cart_without_purchase"))
            one = f"SELECT x.1 s, x.2 n FROM (SELECT arrayJoin([{pairs}]) x FROM ({inner}))"
            return {"union": f"SELECT * FROM ({union})", "one pass": f"SELECT * FROM ({one} UNION ALL {rest})"}
        d, far = 30 * DAY, 1 << 60
        return {
            "arrays": f"""SELECT count(), sum(least(x.2, {END - START})-x.1), countIf(x.2<{END - START}) FROM (SELECT arrayJoin(arrayZip(st, en)) x FROM (
              SELECT arraySort(groupArray(toUnixTimestamp64Micro(ts)-{START})) t, arrayShiftRight(t, 1, -{far}) a, arrayShiftRight(t, 2, -{far}) b,
                arrayShiftLeft(t, 1, {far}) nx, arrayFilter((t, a, b) -> t<a+{d} AND t>b+{d}, t, a, b) st,
                arrayMap(a -> a+{d}, arrayFilter((a, t, nx) -> t<a+{d} AND nx>a+{d}, a, t, nx)) en
              FROM {{events}} WHERE event='purchase' GROUP BY cid HAVING length(t)>=2))"""
        }
