"""Executes the notebooks of examples/notebooks and writes them to build/notebooks.

    python .ci/notebooks.py     ends with `N passed, N failed`
"""

import pathlib
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

folder = pathlib.Path("examples/notebooks")
out = pathlib.Path("build/notebooks")
out.mkdir(parents=True, exist_ok=True)
passed = failed = 0
for path in sorted(folder.glob("*.ipynb")):
    start = time.monotonic()
    notebook = nbformat.read(path, as_version=4)
    try:
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
        silent = not any(cell.get("outputs") for cell in notebook.cells)
        if silent:
            print(f"{path.name}: no cell printed or showed anything")
        passed, failed = passed + (not silent), failed + silent
    except CellExecutionError as error:
        print(f"{path.name}: {error}")
        failed += 1
    nbformat.write(notebook, out / path.name)
    print(f"{path.name}: {time.monotonic() - start:.0f} s")
if passed + failed == 0:
    print(f"no notebooks in {folder}")
    failed = 1
print(f"{passed} passed, {failed} failed")
sys.exit(bool(failed))
