"""The questions about contacts, as Journeyman asks them. `peers.py` has the same for DuckDB and Polars, `peers_chdb.py` for chDB."""

from data import DAY, END, START

HOUR = 3_600_000_000
AT = START + 364 * DAY  # "now" of every question but membership: 2025-12-31T00:00:00Z
NOVEMBER, DECEMBER = START + 304 * DAY, START + 334 * DAY
CARTS_UNTIL = AT - HOUR  # carts whose hour has passed
EVERYWHERE = ["IT", "FR", "DE", "ES"]

TEXTS = {
    "count_30d": "count(purchase, last 30d) >= 2",
    "sum_year": "sum(purchase.amount_cents, this year) > 100000",
    "did_never": "did(webinar_attended) and never(purchase, last 90d)",
    "last_page": 'last(page_viewed.page) == "/p7"',
    "attributes": 'audience == "B2C" and occupation == "freelance"',
    "sequence": 'sequence(page_viewed where page == "/p3", trial_started, purchase, within 14d)',
    "cart_without_purchase": (
        'did(cart_started without purchase on cart_id within 1h, between "2025-12-01T00:00:00Z" and "2025-12-30T23:00:00Z")'
    ),
    "distinct_pages": "distinct(page_viewed.page, last 60d) >= 10",
    "previous_month": "count(email_opened, previous month) >= 3",
    "inactive": "now - last_time(login) > 60d",
    "nested": 'segment("attributes") and segment("previous_month") and not segment("inactive")',
    "eight_clauses": (
        'audience == "B2C" and country in ["IT", "FR", "DE", "ES"] and did(login, last 60d) and count(page_viewed, last 90d) >= 5'
        " and sum(purchase.amount_cents, this year) > 10000 and never(refund, last 180d)"
        ' and last(page_viewed.page) != "/p7" and distinct(page_viewed.page, last 90d) >= 3'
    ),
}
SEGMENTS = {name: TEXTS[name] for name in ("attributes", "previous_month", "inactive")}

# question → (goal against the best on one table, goal against the best of any layout), of the design
GOALS: dict[str, tuple[float, float]] = {
    **dict.fromkeys([*TEXTS, "all_twelve"], (10, 3)), "last_page": (5, 2), "attributes": (1, 1), "membership": (3, 1),
}  # fmt: skip

# questions → the events they read: what they cost must not hang on the others
READ = {
    "count_30d": ["purchase"],
    "did_never": ["webinar_attended", "purchase"],
    "sequence": ["page_viewed", "trial_started", "purchase"],
    "previous_month": ["email_opened"],
}

__all__ = ["AT", "CARTS_UNTIL", "DAY", "DECEMBER", "END", "EVERYWHERE", "GOALS", "HOUR", "NOVEMBER", "READ", "SEGMENTS", "START", "TEXTS"]
