"""How often the rules cry wolf: random deployments without a fault, collected through the SDK and judged by all rules.

Run it from the checkout: `python -m benchmarks.estates`.  The exit code is 1 if anything of weight was found.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter


def main() -> int:
    """Print what was judged, every finding of weight with its seeds, and the time it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=40, help="deployments collected and judged together")
    options = parser.parse_args()

    from auditor.engine import load_rules, tables_needed
    from auditor.facts.paths import PATH_TABLES, compute_paths
    from auditor.simulator.estates import PROFILES
    from auditor.spec import Spec
    from tests.end_to_end.deployment import judged, take
    from tests.end_to_end.test_random_estates import broken_hops, merged, weighty

    rules = load_rules()
    tables = tables_needed(rules) | PATH_TABLES
    started = time.monotonic()
    outcomes: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    found: list[str] = []
    last = options.first + options.seeds
    for first in range(options.first, last, options.batch):
        seeds = range(first, min(first + options.batch, last))
        world = merged(seeds)
        snapshot = take(world, profiles=list(PROFILES), tables=tables)
        findings = judged(snapshot, rules)
        paths = compute_paths(snapshot, Spec(), findings)
        outcomes.update(finding.outcome.value for finding in findings)
        objects.update(
            services=len(world.services),
            endpoints=len(world.endpoints),
            load_balancers=len(world.clbs) + len(world.balancers),
            security_groups=len(world.security_groups),
        )
        verdicts.update(path.verdict for path in paths)
        for text in (*weighty(findings), *broken_hops(paths)):
            found.append(text)
            print(f"seeds {seeds.start}-{seeds.stop - 1}: {text}", flush=True)
        print(f"{seeds.stop - options.first} seeds, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{options.seeds} deployments, {len(rules)} rules, {time.monotonic() - started:.0f} s")
    print("objects: " + ", ".join(f"{count} {name}" for name, count in objects.items()))
    print("outcomes: " + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())))
    print("paths: " + ", ".join(f"{count} {name}" for name, count in sorted(verdicts.items())))
    print(f"findings at medium or above, unknown at high or above, broken hops: {len(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
