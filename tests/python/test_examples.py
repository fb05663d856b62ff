"""The SkillTime example: its sample history can be made anew, and what its playbooks say is what pandas counts."""

import importlib.util
import pathlib

import pyarrow.parquet as pq
import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "skilltime"
TABLES = ["contacts", "accounts", "events", "spend"]


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def committed():
    return {name: pq.read_table(FOLDER / "history" / f"{name}.parquet") for name in TABLES}


def test_the_history_is_made_anew(committed, tmp_path):
    made = load("make_history").main
    made(tmp_path / "once")
    made(tmp_path / "twice")
    for name in TABLES:
        assert (tmp_path / "once" / f"{name}.parquet").read_bytes() == (tmp_path / "twice" / f"{name}.parquet").read_bytes()
        # Not their bytes: those differ from one version of Arrow to the next.
        assert pq.read_table(tmp_path / "once" / f"{name}.parquet").equals(committed[name])


def test_the_history_is_of_the_promised_size(committed):
    assert committed["contacts"]["contact_id"].unique().__len__() == 5000
    assert 90_000 < len(committed["events"]) < 110_000
    assert sum(path.stat().st_size for path in (FOLDER / "history").iterdir()) < 1_500_000
