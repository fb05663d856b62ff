"""The command line: `journeyman COMMAND`, also `python -m journeyman.cli`."""

from ._app import main

__all__ = ["main"]
