"""Runs plaudit as a function, with the keys of the function's role.

Function Compute puts them into the environment; since Python 3.12 the context of a call does not hold them any more.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

#: Exit codes after which the function has done its work: findings are a result.  Any other one fails the call.
DONE = (0, 3)


def handler(event, context):
    """One scan; options are the PLAUDIT_... variables of the function."""
    environment = dict(os.environ)
    profile = {
        "name": "function",
        "mode": "StsToken",
        "access_key_id": environment.pop("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        "access_key_secret": environment.pop("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        "sts_token": environment.pop("ALIBABA_CLOUD_SECURITY_TOKEN"),
        "region_id": context.region,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        path.touch(mode=0o600)
        path.write_text(json.dumps({"current": "function", "profiles": [profile]}), encoding="utf-8")
        command = [sys.executable, "-m", "auditor", "scan", "-q", "--config-path", str(path), "--profiles", "function"]
        done = subprocess.run(command, env={**environment, "HOME": folder}, check=False)
    if done.returncode not in DONE:
        raise RuntimeError(f"plaudit ended with exit code {done.returncode}; its messages are in the log above")
    return json.dumps({"exit_code": done.returncode})
