"""Executes the notebooks of examples/notebooks into build/notebooks, and holds what they print against what is stored with them.

    python .ci/notebooks.py             ends with `N passed, N failed`
    python .ci/notebooks.py --write     stores what they show now
"""

import pathlib
import re
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

folder = pathlib.Path("examples/notebooks")
out = pathlib.Path("build/notebooks")


def printed(notebook):
    """What each cell printed. Pictures and tables are left to the libraries that draw them."""
    return ["".join(o["text"] for o in cell.get("outputs", []) if o["output_type"] == "stream" and o["name"] == "stdout") for cell in notebook.cells]


def executed(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)   # when it ran
        for data in (o.data for o in cell.get("outputs", []) if "data" in o):
            data["text/plain"] = re.sub(" at 0x[0-9a-f]+", "", data.get("text/plain", ""))   # where it lay
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, out / path.name)
    return notebook


def wrong(path, write):
    """What is wrong with a notebook, or nothing."""
    stored = printed(nbformat.read(path, as_version=4))
    try:
        notebook = executed(path)
    except CellExecutionError as error:
        return str(error)
    if not any(cell.get("outputs") for cell in notebook.cells):
        return "no cell printed or showed anything"
    if write:
        nbformat.write(notebook, path)
        return ""
    differ = [k for k, (was, now) in enumerate(zip(stored, printed(notebook), strict=True)) if was != now]
    return f"cells {differ} print something else than what is stored: look at {out / path.name}, then `python .ci/notebooks.py --write`" if differ else ""


def main():
    out.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    for path in sorted(folder.glob("*.ipynb")):
        start = time.monotonic()
        why = wrong(path, "--write" in sys.argv[1:])
        passed, failed = passed + (not why), failed + bool(why)
        print(f"{path.name}: {time.monotonic() - start:.0f} s" + (f": {why}" if why else ""))
    if passed + failed == 0:
        print(f"no notebooks in {folder}")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


sys.exit(main())
