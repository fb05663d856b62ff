"""Where the real data are, and the examples that read them."""

import importlib.util
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("JOURNEYMAN_SHARED", ROOT.parent / "shared")) / "data"


def path(name: str) -> pathlib.Path:
    """A file or folder of the real data; without it the test is skipped, or fails where nothing may be missing."""
    found = DATA / name
    if not found.exists():
        assert not os.environ.get("JOURNEYMAN_REQUIRE_SHARED"), f"{found} is missing"
        pytest.skip(f"REAL DATA MISSING: {found}")
    return found


def example(name: str):
    """The module examples/NAME/run.py."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / name / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
