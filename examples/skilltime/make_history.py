"""Makes the sample history of SkillTime: contacts, accounts, events and spend of eighteen months, as four Parquet files.

    python make_history.py [FOLDER]      by default into history/ beside this file

Everything is made up, and all chance comes from SEED: the same seed gives the same rows.

The story. From October 2024 to March 2026, in Europe/Rome, some 5,000 people leave their address at SkillTime: freelances,
unemployed people and others (B2C), company HR and managers (B2B). They come by advertising (google_ads, meta_ads, linkedin), by the
newsletter, by recommendation, or by themselves, and fill in one of three forms: `webinar`, `classic` (the free trial), or
`training_request`. What follows (emails, lessons, calls) makes a first purchase more or less probable. Until October 2025 people of
SkillTime write the emails by hand, late and in office hours; from LIVE on the automated flows do, at once: less time goes into each
lead, more leads buy, more customers buy again, and they value what they learnt a little more. How much, chance decides too.

Missing on purpose: some contacts never said who they are or what they want, some accounts never said what they spend, some referrals
came without a word about by whom. So coverage is below 100 %, and some questions have the answer "unknown".
"""

import datetime
import math
import pathlib
import random
import sys
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20241001
ROME = ZoneInfo("Europe/Rome")
START = datetime.datetime(2024, 10, 1, tzinfo=ROME)
LIVE = datetime.datetime(2025, 10, 1, tzinfo=ROME)  # when the automated flows took over
END = datetime.datetime(2026, 4, 1, tzinfo=ROME)
CONTACTS, ACCOUNTS = 5000, 320

# kind: share of the contacts, chance to buy, how they are written
KINDS = {
    "freelance": (0.35, 0.115, {"audience": "B2C", "occupation": "freelance"}),
    "unemployed": (0.25, 0.075, {"audience": "B2C", "occupation": "unemployed"}),
    "student": (0.10, 0.06, {"audience": "B2C", "occupation": "student"}),
    "hr": (0.16, 0.14, {"audience": "B2B", "role": "hr"}),
    "manager": (0.14, 0.12, {"audience": "B2B", "role": "manager"}),
}
CHANNELS = {  # by kind: where leads come from
    "freelance": {"google_ads": 45, "meta_ads": 17, "linkedin": 8, "newsletter": 8, "referral": 7, "organic": 15},
    "unemployed": {"google_ads": 15, "meta_ads": 55, "linkedin": 4, "newsletter": 6, "referral": 6, "organic": 14},
    "student": {"google_ads": 20, "meta_ads": 45, "linkedin": 3, "newsletter": 5, "referral": 7, "organic": 20},
    "hr": {"google_ads": 8, "linkedin": 62, "newsletter": 5, "referral": 15, "organic": 10},
    "manager": {"google_ads": 10, "linkedin": 65, "newsletter": 5, "referral": 10, "organic": 10},
}
FORMS = {
    "freelance": {"webinar": 62, "classic": 38},
    "unemployed": {"webinar": 40, "classic": 60},
    "student": {"webinar": 45, "classic": 55},
    "hr": {"training_request": 45, "classic": 45, "webinar": 10},
    "manager": {"training_request": 40, "classic": 50, "webinar": 10},
}
CAMPAIGNS = {  # channel, first day, day after the last, spend a week while it runs
    "google_spring_2025": ("google_ads", datetime.date(2025, 3, 3), datetime.date(2025, 6, 2), 260),
    "meta_spring_2025": ("meta_ads", datetime.date(2025, 3, 3), datetime.date(2025, 6, 2), 200),
    "linkedin_autumn_2025": ("linkedin", datetime.date(2025, 10, 6), datetime.date(2025, 12, 22), 460),
    "google_winter_2026": ("google_ads", datetime.date(2026, 1, 12), datetime.date(2026, 3, 16), 300),
    "meta_winter_2026": ("meta_ads", datetime.date(2026, 1, 12), datetime.date(2026, 3, 16), 230),
}
ALWAYS_ON = {"google_ads": 210, "meta_ads": 160, "linkedin": 270}  # spend a week without a campaign
COURSES = {  # topic: (course, price)
    "marketing": [("digital_marketing", 290.0), ("seo", 190.0), ("social_media_manager", 390.0)],
    "programming": [("python", 340.0), ("web_developer", 490.0), ("data_analysis", 440.0)],
    "business": [("business_management", 390.0), ("personal_finance", 190.0), ("startup", 290.0)],
    "leadership": [("leadership", 240.0), ("team_coaching", 290.0)],
    "soft_skills": [("public_speaking", 190.0), ("time_management", 140.0)],
    "human_resources": [("recruiting", 240.0), ("people_development", 290.0)],
}
B2C_TOPICS = ["marketing", "programming", "business"]
B2B_TOPICS = ["leadership", "soft_skills", "human_resources"]
PAGES = ["/", "/courses", "/pricing", "/stories", "/webinar", "/free", "/certificates", "/companies", "/blog"]
FIRST = {
    "f": ["Anna", "Beatrice", "Carla", "Daniela", "Elisa", "Francesca", "Giulia", "Irene", "Laura", "Marta", "Noemi", "Paola", "Sara"],
    "m": ["Andrea", "Bruno", "Claudio", "Davide", "Enrico", "Fabio", "Giorgio", "Ivan", "Luca", "Marco", "Nicola", "Paolo", "Stefano"],
}
LAST = ["Rossi", "Ferrari", "Russo", "Bianchi", "Romano", "Colombo", "Ricci", "Marino", "Greco", "Bruno", "Gallo", "Conti", "De Luca"]
CITIES = ["Milano", "Roma", "Napoli", "Torino", "Palermo", "Bologna", "Firenze", "Bari", "Verona", "Padova"]
SECTORS = ["manufacturing", "retail", "software", "logistics", "tourism", "health", "finance"]
GOALS = ["new managers", "digital skills", "less turnover", "safety", "sales"]

# the columns of the files
TEXT, INSTANT = pa.string(), pa.timestamp("ms", tz="UTC")
CONTACT_COLUMNS = {
    "contact_id": TEXT, "timestamp": INSTANT, "account_id": TEXT, "audience": TEXT, "occupation": TEXT, "role": TEXT,
    "first_name": TEXT, "last_name": TEXT, "email": TEXT, "phone": TEXT, "birth_year": pa.int32(), "gender": TEXT, "city": TEXT,
    "education": TEXT, "timezone": TEXT, "preferred_topic": TEXT, "preferred_format": TEXT, "skill_level": TEXT,
    "field_of_interest": TEXT, "training_request": TEXT, "consent_email": pa.bool_(), "consent_social": pa.bool_(),
    "consent_linkedin": pa.bool_(), "cleared": TEXT,
}  # fmt: skip
ACCOUNT_COLUMNS = {
    "account_id": TEXT, "timestamp": INSTANT, "name": TEXT, "sector": TEXT, "employees": pa.int32(), "city": TEXT,
    "hr_team_size": pa.int32(), "training_budget": pa.float64(), "training_goals": TEXT,
}  # fmt: skip
EVENT_COLUMNS = {
    "contact_id": TEXT, "event": TEXT, "timestamp": INSTANT, "form": TEXT, "channel": TEXT, "campaign": TEXT, "page": TEXT,
    "message": TEXT, "topic": TEXT, "course": TEXT, "amount": pa.float64(), "seats": pa.int32(), "minutes": pa.int32(),
    "free": pa.bool_(), "score": pa.int32(), "stars": pa.int32(),
}  # fmt: skip
SPEND_COLUMNS = {"timestamp": INSTANT, "amount": pa.float64(), "channel": TEXT, "campaign": TEXT}

draw = random.Random(SEED)


# ---- chance


def chance(p):
    return draw.random() < p


def pick(what):
    """One of a list, or of a dict of weights."""
    if isinstance(what, dict):
        return draw.choices(list(what), list(what.values()))[0]
    return what[int(draw.random() * len(what))]


def some(value, p):
    """The value, or nothing: known with probability p."""
    return value if chance(p) else None


def delay(median, spread=1.0):
    """A waiting time: lognormal, in the unit of the median (a timedelta)."""
    return median * math.exp(spread * draw.gauss(0, 1))


def span(low, high, unit):
    return unit * draw.uniform(low, high)


MINUTE, HOUR, DAY = datetime.timedelta(minutes=1), datetime.timedelta(hours=1), datetime.timedelta(days=1)


# ---- instants


def awake(t):
    """The instant at which a person does what they would have done at t: not between midnight and seven in the morning."""
    local = t.astimezone(ROME)
    return local if local.hour >= 7 else local.replace(hour=7) + span(0, 3, HOUR)


def office(t):
    """The next working hour at t or later."""
    local = t.astimezone(ROME)
    while local.weekday() > 4 or local.hour >= 18:
        local = (local + DAY).replace(hour=9, minute=int(draw.uniform(0, 60)))
    return local if local.hour >= 9 else local.replace(hour=9, minute=int(draw.uniform(0, 60)))


def day_in_rome(d):
    return datetime.datetime(d.year, d.month, d.day, tzinfo=ROME)


def arrival():
    """When a lead comes: more in later months, fewer in August and around Christmas, mostly by day."""
    while True:
        t = START + (END - START) * draw.random()
        keep = 0.6 + 0.4 * (t - START) / (END - START)
        if t.month == 8 or (t.month == 12 and t.day > 20):
            keep *= 0.4
        running = any(first <= t.date() < last for _, first, last, _ in CAMPAIGNS.values())
        if chance(keep * (1.0 if running else 0.75)):
            return awake(t)


# ---- the people


class Person:
    """One contact: what is known of them, and what they do, in the order in which it is decided."""

    def __init__(self, number, at):
        self.id = f"c{number:05}"
        self.kind = pick({k: share for k, (share, _, _) in KINDS.items()})
        self.b2b = self.kind in ("hr", "manager")
        self.at = at
        self.changes, self.events = [], []
        self.gone = END  # when they unsubscribed

    def happens(self, event, at, **properties):
        """Writes an event, if it is within the history. Seconds are all the precision there is."""
        at = at.replace(microsecond=0)
        if at < END:
            self.events.append({"contact_id": self.id, "event": event, "timestamp": at, **properties})
        return at

    def becomes(self, at, **attributes):
        at = at.replace(microsecond=0)
        if at < END:
            self.changes.append({"contact_id": self.id, "timestamp": at, **attributes})

    def introduce(self):
        """The first row of the change log, at the moment of the form."""
        gender = pick(["f", "m"])
        topic = pick(B2B_TOPICS if self.b2b else B2C_TOPICS)
        self.topic = topic
        known = dict(KINDS[self.kind][2])
        if chance(0.05):
            known.pop("role", None)
            known.pop("occupation", None)
        known |= {
            "first_name": some(pick(FIRST[gender]), 0.9), "last_name": some(pick(LAST), 0.88), "email": some(f"{self.id}@mail.example", 0.97),
            "phone": some(f"+39 3{int(draw.random() * 1e8):08}", 0.55), "city": some(pick(CITIES), 0.75),
            "preferred_topic": some(topic, 0.7), "preferred_format": some(pick(["video", "live", "text"]), 0.5),
            "consent_email": some(chance(0.93), 0.97), "consent_social": some(chance(0.45), 0.8),
        }  # fmt: skip
        if self.b2b:
            known["account_id"] = some(f"a{int(draw.random() ** 1.6 * ACCOUNTS):03}", 0.96)
            known["consent_linkedin"] = some(chance(0.6), 0.85)
            known["training_request"] = some(f"{topic} for {pick([5, 10, 20, 50])} people", 0.35)
        else:
            known |= {
                "birth_year": some(int(draw.triangular(1962, 2005, 1992)), 0.65), "gender": some(gender, 0.6),
                "education": some(pick({"school": 4, "bachelor": 4, "master": 2}), 0.55),
                "skill_level": some(pick({"beginner": 5, "intermediate": 3, "advanced": 1}), 0.6),
                "field_of_interest": some(pick([*B2C_TOPICS, "design", "tourism"]), 0.5 if self.kind == "unemployed" else 0.15),
            }  # fmt: skip
        if chance(0.03):
            known["timezone"] = pick(["Europe/London", "Europe/Lisbon", "America/New_York"])
        self.mail = known["consent_email"] is True
        self.becomes(self.at, **known)

    def live(self, at):
        return at >= LIVE

    def visit(self, at, most=5):
        """A visit to the site: a few pages."""
        for _ in range(1 + int(draw.random() * most)):
            at = self.happens("page_viewed", at, page=pick({p: 10 - i for i, p in enumerate(PAGES)})) + span(0.3, 4, MINUTE)
        return at

    def email(self, message, at, opens, clicks=0.25):
        """An email: sent, perhaps opened, perhaps clicked. When it was opened, or None."""
        if not self.mail or at >= min(self.gone, END):
            return None
        if not self.live(at):  # written by hand, when there was time
            at = office(at + delay(5 * HOUR))
            if chance(0.12):
                return None  # forgotten
        sent = self.happens("email_sent", at, message=message)
        if not chance(opens):
            return None
        opened = self.happens("email_opened", awake(sent + delay(7 * HOUR, 1.3)), message=message)
        if chance(clicks):
            at = self.happens("link_clicked", opened + span(0.2, 5, MINUTE), message=message, page=pick(["/courses", "/pricing", "/stories"]))
            if chance(0.5):
                self.visit(at + span(0.1, 1, MINUTE), 3)
        if chance(0.012) and self.gone == END:
            self.gone = self.happens("unsubscribed", opened + MINUTE, message=message)
        return opened

    def handled(self, at):
        """Time that people of SkillTime spend on the lead, in minutes."""
        many, minutes = (3, 11.5) if not self.live(at) else (2, 9.3)
        for _ in range(1 + int(draw.random() * many)):
            at = self.happens("lead_managed", office(at + delay(20 * HOUR)), minutes=max(1, round(delay(minutes, 0.5))))
            if self.b2b and chance(0.6):
                at = self.happens("call_logged", at, minutes=max(2, round(delay(14, 0.6))))

    def sign_up(self):
        """The form, and the visit before it. How they came."""
        channel = pick(CHANNELS[self.kind])
        running = [n for n, (c, first, last, _) in CAMPAIGNS.items() if c == channel and first <= self.at.date() < last]
        campaign = some(running[0], 0.7) if running else None
        self.form = pick(FORMS[self.kind])
        self.visit(self.at - span(3, 30, MINUTE), 3)
        self.happens("form_submitted", self.at, form=self.form, channel=channel, campaign=campaign)

    def webinar(self):
        """Design A, as it happened. How warm it left them."""
        warm = 0.6
        opened = self.email("webinar_welcome", self.at + MINUTE, 0.6, 0.5)
        if opened is None:
            opened = self.email("webinar_reminder", self.at + 3 * DAY, 0.35, 0.4)
        if opened is not None:
            warm = 1.0
            evening = (opened.astimezone(ROME) + DAY).replace(hour=18, minute=30, second=0)
            while evening.weekday() != 3:  # Thursdays
                evening += DAY
            if chance(0.45):
                self.happens("webinar_attended", evening + span(0, 10, MINUTE), topic=self.topic)
                warm = 2.0
        if self.email("success_stories", self.at + span(3, 6, DAY), 0.4) is not None:
            warm *= 1.15
        return warm

    def trial(self):
        """Design B, as it happened: five hours of free lessons. How warm they left them."""
        opened = self.email("free_lessons", self.at + MINUTE, 0.55, 0.6)
        if opened is None:
            opened = self.email("trial_reminder", self.at + 3 * DAY, 0.4, 0.5)
        if opened is None:
            return 0.5
        wanted, watched, at = pick({0: 25, 60: 20, 150: 20, 310: 35}), 0, opened + delay(8 * HOUR)
        while watched < wanted:
            minutes = 20 + int(draw.random() * 41)
            watched += minutes
            at = self.happens("lesson_watched", awake(at), minutes=minutes, free=True, topic=self.topic) + delay(16 * HOUR, 0.8)
        if watched < 300:
            return 0.8
        self.email("registration", at, 0.6, 0.6)
        return 2.2

    def consult(self):
        """What B2B gets besides: calls and a company event."""
        if chance(0.35):
            self.happens("company_event_attended", office(self.at + delay(20 * DAY, 0.5)), topic=self.topic)
            return 1.5
        return 1.0

    def buy(self, at):
        """A purchase, and the course that follows it."""
        course, price = pick(COURSES[self.topic])
        seats = 3 + int(delay(4, 0.8)) if self.b2b else None
        bought = self.happens("purchase", awake(at), course=course, topic=self.topic, amount=round(price * (seats or 1) * pick({1.0: 7, 0.8: 3}), 2), seats=seats)
        at = bought + DAY
        for _ in range(4 + int(draw.random() * 12)):
            at = self.happens("lesson_watched", awake(at), minutes=20 + int(draw.random() * 41), free=False, topic=self.topic) + delay(2 * DAY)
        if chance(0.5):
            score = draw.gauss(7.6 if self.live(at) else 7.15, 1.3)
            self.happens("survey_answered", awake(at + delay(3 * DAY)), course=course, score=min(10, max(1, round(score))))
        if chance(0.12):
            self.happens("review", awake(at + delay(6 * DAY)), course=course, stars=pick({5: 6, 4: 4, 3: 2, 2: 1}))
        advocates = {"hr": 0.75, "manager": 0.25}.get(self.kind, 0.1)
        while chance(advocates):
            at = self.happens("referral", awake(at + delay(12 * DAY)), channel=some(pick(["call", "email", "form"]), 0.9))
            advocates /= 1.8
        if chance(0.15 if self.kind != "unemployed" else 0.5):  # the course changes who they are
            self.learn(at)
        return bought

    def learn(self, at):
        if self.kind == "unemployed" and chance(0.6):
            self.becomes(at + span(20, 60, DAY), occupation="freelance", cleared="field_of_interest")
        elif not self.b2b:
            self.becomes(at + DAY, skill_level=pick(["intermediate", "advanced"]))

    def customers_life(self, warm):
        """The first purchase, if any, and those after it."""
        p = KINDS[self.kind][1] * warm * (1.33 if self.live(self.at) else 1.0)
        if not chance(min(p, 0.9)):
            return
        bought = self.buy(self.at + 2 * DAY + delay(5 * DAY, 0.9))
        while chance(0.36 if self.live(bought + 40 * DAY) else 0.25):
            self.email("next_courses", bought + DAY, 0.5)
            if chance(0.3):
                self.topic = pick(B2B_TOPICS if self.b2b else B2C_TOPICS)
            bought = self.buy(bought + delay(45 * DAY, 0.6))

    def stays_in_touch(self):
        """Newsletters and visits, fewer as time passes."""
        interest = draw.uniform(0.1, 0.4)
        month = (self.at.year - 2024) * 12 + self.at.month  # January 2024 is 1
        while True:
            month += 1
            at = datetime.datetime(2024 + (month - 1) // 12, (month - 1) % 12 + 1, 12, 10, 0, tzinfo=ROME) + span(0, 30, MINUTE)
            if at >= END:
                return
            if month % 2 == 0:
                self.email(f"newsletter_{at:%Y_%m}", at, interest, 0.3)
            if chance(interest * 0.95):
                self.visit(awake(at + span(-10, 15, DAY)))
            interest *= 0.95

    def moves(self):
        """Some change: a home, a role, a consent taken back, a phone number that is none any more."""
        if chance(0.08):
            at = self.at + delay(120 * DAY, 0.6)
            self.becomes(at, **pick([{"city": pick(CITIES)}, {"consent_social": False}, {"cleared": "phone"}, {"role": pick(["hr", "manager"])} if self.b2b else {"preferred_topic": self.topic}]))

    def lives(self):
        self.introduce()
        self.sign_up()
        self.handled(self.at)
        warm = {"webinar": self.webinar, "classic": self.trial, "training_request": self.consult}[self.form]()
        if self.b2b and self.form != "training_request":
            warm *= self.consult()
        self.customers_life(warm)
        self.stays_in_touch()
        self.moves()
        if chance(0.12):  # the other form, later
            other = pick(["webinar", "classic"])
            self.happens("form_submitted", awake(self.at + delay(60 * DAY, 0.5)), form=other, channel=pick(["newsletter", "organic"]))


# ---- the tables


def make_accounts():
    rows = []
    for n in range(ACCOUNTS):
        employees = round(delay(120, 1.0)) + 5
        budget = round(employees * draw.uniform(40, 160), -2)
        known = {
            "name": f"{pick(LAST)} {pick(['SpA', 'Srl', '& Figli'])} {n}", "sector": some(pick(SECTORS), 0.9), "employees": some(employees, 0.85),
            "city": some(pick(CITIES), 0.95), "hr_team_size": some(1 + employees // 60, 0.7), "training_budget": some(budget, 0.55),
            "training_goals": some(pick(GOALS), 0.5),
        }  # fmt: skip
        rows.append({"account_id": f"a{n:03}", "timestamp": START, **known})
        if chance(0.4):  # the budget of the new year
            rows.append({"account_id": f"a{n:03}", "timestamp": datetime.datetime(2026, 1, 7, 9, tzinfo=ROME), "training_budget": round(budget * draw.uniform(0.8, 1.5), -2)})
    return rows


def make_spend():
    rows, week = [], datetime.date(2024, 9, 30)
    while day_in_rome(week) < END:
        at = max(day_in_rome(week), START)
        for channel, amount in ALWAYS_ON.items():
            if week.month == 8:
                amount *= 0.5
            rows.append({"timestamp": at, "amount": round(amount * draw.uniform(0.8, 1.2), 2), "channel": channel})
        for name, (channel, first, last, amount) in CAMPAIGNS.items():
            if first <= week < last:
                rows.append({"timestamp": at, "amount": round(amount * draw.uniform(0.85, 1.15), 2), "channel": channel, "campaign": name})
        week += datetime.timedelta(weeks=1)
    return rows


def table(rows, columns):
    return pa.table({name: pa.array([row.get(name) for row in rows], type) for name, type in columns.items()})


def make():
    """The four tables, by name. Contacts and events are sorted by contact, then instant."""
    draw.seed(SEED)
    people = [Person(n, at) for n, at in enumerate(sorted(arrival() for _ in range(CONTACTS)))]
    accounts = make_accounts()
    for person in people:
        person.lives()
    by_time = lambda rows: sorted(rows, key=lambda row: row["timestamp"])  # noqa: E731 (stable: what was decided first comes first)
    return {
        "contacts": table([row for p in people for row in by_time(p.changes)], CONTACT_COLUMNS),
        "accounts": table(accounts, ACCOUNT_COLUMNS),
        "events": table([row for p in people for row in by_time(p.events)], EVENT_COLUMNS),
        "spend": table(make_spend(), SPEND_COLUMNS),
    }


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, t in make().items():
        path = folder / f"{name}.parquet"
        pq.write_table(t, path, compression="zstd", compression_level=19, row_group_size=len(t))
        print(f"{path}: {len(t):,} rows, {path.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "history")
