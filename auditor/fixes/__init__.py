"""Fixes: what mends a finding, and what the rules would say if it were done.  Text only: nothing is ever sent."""

from auditor.fixes.plan import Fix, FixKind, Planner, steps_of
from auditor.fixes.preview import PathChange, Preview, preview

__all__ = ["Fix", "FixKind", "PathChange", "Planner", "Preview", "preview", "steps_of"]
