"""Playbooks from what other systems keep: `importers.dittofeed(json)`, `importers.pinpoint(json)`, `importers.klaviyo(json)`.

Each gives an `Import`: the playbook, and every thing it could not carry over with its place in their JSON (docs/importers.md).
"""

from ._common import Import, Problem
from ._dittofeed import dittofeed
from ._klaviyo import klaviyo
from ._pinpoint import pinpoint

__all__ = ["Import", "Problem", "dittofeed", "klaviyo", "pinpoint"]
