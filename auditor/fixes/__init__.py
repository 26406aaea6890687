"""Fixes: what mends a finding, and what the rules would say if it were done.  Text only: nothing is ever sent."""

from auditor.fixes.plan import Fix, FixKind, Planner, steps_of
from auditor.fixes.preview import PathChange, Preview, foretell

__all__ = ["Fix", "FixKind", "PathChange", "Planner", "Preview", "foretell", "steps_of"]
