"""Records a whole scan: `python -m tests.cassettes.record NAME` from the simulator, or from real accounts.

    python -m tests.cassettes.record tutorial
    python -m tests.cassettes.record mine --profiles provider,consumer --rename 1111222233334444=1000000000000001
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from auditor.collect.accounts import load_profiles
from auditor.collect.crawl import collect
from auditor.simulator import Simulator
from auditor.simulator.scenarios import SCENARIOS
from tests.cassettes.recorder import recorder

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Records one cassette, replacing an older one of the same name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="name of the cassette; a scenario of the simulator unless --profiles is given")
    parser.add_argument("--profiles", help="profiles of real accounts, separated by commas")
    parser.add_argument("--config-path", type=Path, help="configuration file of the Alibaba Cloud CLI")
    parser.add_argument("--rename", action="append", default=[], metavar="REAL=SHOWN", help="account ids to replace")
    arguments = parser.parse_args()
    path = FOLDER / f"{arguments.name}.yaml"
    path.unlink(missing_ok=True)
    renamed = dict(pair.split("=", 1) for pair in arguments.rename)
    with recorder(mode="once", renamed=renamed).use_cassette(str(path)):
        if arguments.profiles:
            # One call at a time: vcrpy loses recordings when threads share it.
            collect(load_profiles(arguments.config_path, arguments.profiles.split(",")), concurrency=1)
            return
        with tempfile.TemporaryDirectory() as folder, Simulator(SCENARIOS[arguments.name]()) as simulator:
            config = Path(folder) / "config.json"
            names = simulator.write_config(config)
            collect(load_profiles(config, names), endpoint_url=simulator.url, concurrency=1)


if __name__ == "__main__":
    main()
