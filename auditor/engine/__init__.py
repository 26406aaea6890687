"""The engine: rules → findings.  It judges and never asks, and only it says `pass`."""

from auditor.engine.examples import run_examples
from auditor.engine.load import load_rules, select_rules
from auditor.engine.rule import Rule
from auditor.engine.run import judge
from auditor.engine.session import tables_needed
from auditor.engine.sql import query

__all__ = ["Rule", "judge", "load_rules", "query", "run_examples", "select_rules", "tables_needed"]
