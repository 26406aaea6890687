"""Accounts: named profiles of the Alibaba Cloud CLI file, and credentials from the official credentials library."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.collect.answers import CloudError
from auditor.collect.redaction import redact
from auditor.errors import FileError, UsageError

logger = logging.getLogger("auditor.collect")

#: Modes the official Python library takes from the file, with the keys they cannot do without.
MODES: dict[str, tuple[str, ...]] = {
    "AK": ("access_key_id", "access_key_secret"),
    "StsToken": ("access_key_id", "access_key_secret", "sts_token"),
    "RamRoleArn": ("access_key_id", "access_key_secret", "ram_role_arn"),
    "ChainableRamRoleArn": ("source_profile", "ram_role_arn"),
    "EcsRamRole": (),
    "OIDC": ("ram_role_arn", "oidc_provider_arn", "oidc_token_file"),
    "CloudSSO": ("cloud_sso_sign_in_url", "cloud_sso_account_id", "cloud_sso_access_config", "access_token"),
    "OAuth": ("oauth_refresh_token",),
    "External": ("process_command",),
}
# The library writes what it got back into the file for these two; they are read from a private copy.
_WRITING_MODES = frozenset({"OAuth", "External"})
_SECRET_KEYS = (
    "access_key_secret",
    "sts_token",
    "access_token",
    "oauth_access_token",
    "oauth_refresh_token",
    "access_key_id",
)
# How the CLI chooses a profile that was not named, in its order.
_PROFILE_VARIABLES = ("ALIBABACLOUD_PROFILE", "ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile of a CLI file.  Holds no secret and may travel to another process.

    `region` is the profile's own region, None if it has none; `chain` names the profiles its credentials come through.
    """

    name: str
    mode: str
    region: str | None
    path: Path
    chain: tuple[str, ...] = ()


def default_config_path() -> Path:
    """Where the CLI keeps its profiles."""
    return Path.home() / ".aliyun" / "config.json"


def load_profiles(config_path: Path | None = None, names: Sequence[str] = ()) -> list[Profile]:
    """The named profiles, each once, in the order given; without names the one the CLI itself would use.

    Raises FileError for a file that cannot be read or understood, and UsageError for an unknown profile or a mode that
    cannot be used; neither ever shows a value of the file other than names and modes.
    """
    path = config_path or default_config_path()
    if os.environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() == "true":
        raise UsageError(
            "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true switches the profiles of the CLI file off; unset it and run again"
        )
    current, entries = _read_file(path)
    chosen = [name for name in names if name]
    if not chosen:
        chosen = [name for name in (os.environ.get(variable) for variable in _PROFILE_VARIABLES) if name][:1]
    if not chosen:
        if not current:
            raise FileError(path, f"no profile is current; name one of {_listed(entries)} with --profiles")
        chosen = [current]
    profiles: dict[str, Profile] = {}
    for name in chosen:
        if name in profiles:
            logger.warning("profile %s was given twice and is read once", name)
            continue
        profiles[name] = _profile(path, entries, name)
    return list(profiles.values())


def _read_file(path: Path) -> tuple[str | None, dict[str, Mapping[str, Any]]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileError(
            path, "this file does not exist; run `aliyun configure`, or name another one with --config-path"
        ) from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    _warn_about_permissions(path)
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileError(path, "is not UTF-8 text; expected the JSON file of the Alibaba Cloud CLI", line) from None
    except json.JSONDecodeError as error:
        raise FileError(
            path, f"is not JSON ({error.msg}); correct it or run `aliyun configure`", error.lineno
        ) from None
    except (ValueError, RecursionError):
        raise FileError(path, "is not JSON; correct it or run `aliyun configure`", 1) from None
    if not isinstance(content, dict) or not isinstance(content.get("profiles"), list):
        raise FileError(path, 'has no list "profiles"; expected the JSON file of the Alibaba Cloud CLI', 1)
    entries: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(content["profiles"], start=1):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise FileError(path, f'entry {number} of "profiles" is not an object with a name', _line_of(data, number))
        # Of two entries with one name the library takes the first.
        entries.setdefault(name, entry)
    current = content.get("current")
    return (current if isinstance(current, str) and current else None), entries


def _line_of(data: bytes, number: int) -> int:
    """A line inside the list of profiles; JSON keeps no positions, so this is where the list begins."""
    start = data.find(b'"profiles"')
    return data[: max(start, 0)].count(b"\n") + 1


def _warn_about_permissions(path: Path) -> None:
    if os.name != "posix":
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        logger.warning("%s can be read by others (mode %o); run `chmod 600` on it", path, mode)


def _listed(entries: Mapping[str, object]) -> str:
    return ", ".join(redact(name) for name in entries) or "(the file has none)"


def _profile(path: Path, entries: Mapping[str, Mapping[str, Any]], name: str) -> Profile:
    chain: list[str] = []
    here = name
    while True:
        entry = entries.get(here)
        if entry is None:
            if here == name:
                raise UsageError(f"{path}: there is no profile {name!r}; the file has {_listed(entries)}")
            raise UsageError(
                f"{path}: profile {chain[-1]!r} has the source profile {here!r}, which the file does not have; "
                f"it has {_listed(entries)}"
            )
        if here in chain:
            loop = " -> ".join([*chain[chain.index(here) :], here])
            raise UsageError(f"{path}: the source profiles of {name!r} go round in a circle ({loop}); break it")
        chain.append(here)
        mode = _checked_mode(path, here, entry)
        if mode != "ChainableRamRoleArn":
            break
        here = str(entry["source_profile"])
    region = entries[name].get("region_id")
    if entries[name].get("mode") == "RamRoleArn" and entries[name].get("sts_token"):
        logger.warning("profile %s: its sts_token is ignored in mode RamRoleArn; chain it instead", name)
    return Profile(
        name,
        str(entries[name]["mode"]),
        region if isinstance(region, str) and region else None,
        path.resolve(),
        tuple(chain),
    )


def _checked_mode(path: Path, name: str, entry: Mapping[str, Any]) -> str:
    mode = entry.get("mode")
    accepted = ", ".join(MODES)
    if not isinstance(mode, str) or mode not in MODES:
        shown = redact(mode) if isinstance(mode, str) else "(none)"
        by_case = {known.lower(): known for known in MODES}.get(str(mode).lower())
        way_out = (
            f'write "{by_case}"'
            if by_case
            else "use another profile, or run the command that gives the keys through a profile of mode External"
        )
        raise UsageError(
            f"{path}: profile {name!r} has the mode {shown!r}, which cannot be used here; {way_out}. "
            f"Accepted modes: {accepted}"
        )
    for key in MODES[mode]:
        value = entry.get(key)
        if not isinstance(value, str) or not value:
            raise UsageError(
                f"{path}: profile {name!r} of mode {mode} has no {key}; "
                f"run `aliyun configure --profile {redact(name)} --mode {mode}`"
            )
    return mode


class Credential:
    """Credentials of one profile, as the official clients ask for them; safe for threads.

    What the provider gave is kept for a minute, five for External, whose command would run for every call otherwise.
    Raises CloudError `Plaudit.Credentials` where the provider fails; its texts hold signed URLs and are redacted.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._lock = threading.Lock()
        self._client: Any = None
        self._model: Any = None
        self._until = 0.0
        self._keep = 300.0 if self._modes() & _WRITING_MODES else 60.0
        self._secrets: tuple[str, ...] = ()

    def _modes(self) -> set[str]:
        entries = _read_quietly(self._profile.path)
        return {str(entry.get("mode")) for entry in entries if entry.get("name") in self._profile.chain}

    def _provider(self) -> Any:
        from alibabacloud_credentials.client import Client
        from alibabacloud_credentials.provider.cli_profile import CLIProfileCredentialsProvider

        from auditor.collect.client import silence_loggers

        silence_loggers()
        path = self._profile.path
        self._secrets = tuple(
            str(entry[key]) for entry in _read_quietly(path) for key in _SECRET_KEYS if isinstance(entry.get(key), str)
        )
        if self._modes() & _WRITING_MODES:
            path = self._private_copy(path)
        provider = CLIProfileCredentialsProvider(profile_name=self._profile.name, profile_file=str(path))
        return Client(provider=provider)

    def _private_copy(self, path: Path) -> Path:
        """A copy that only this user can read; it goes away with this object, or with the process."""
        folder = Path(tempfile.mkdtemp(prefix="plaudit-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        copy = folder / "config.json"
        copy.touch(mode=0o600)
        copy.write_bytes(path.read_bytes())
        return copy

    def get_credential(self) -> Any:
        """The official library's credential model: access_key_id, access_key_secret, security_token, provider_name."""
        with self._lock:
            if self._model is None or time.monotonic() >= self._until:
                try:
                    if self._client is None:
                        self._client = self._provider()
                    self._model = self._client.get_credential()
                except Exception as error:  # noqa: BLE001 - the library raises whatever its inner libraries raise
                    raise CloudError("Plaudit.Credentials", self._explained(error)) from None
                if not self._model.access_key_id or not self._model.access_key_secret:
                    self._model = None
                    raise CloudError("Plaudit.Credentials", f"profile {self._profile.name!r} gave no access key")
                self._until = time.monotonic() + self._keep
            return self._model

    def _explained(self, error: Exception) -> str:
        words = redact(error, *self._secrets)
        profile = f"profile {self._profile.name!r} ({self._profile.mode})"
        return f"{profile} gave no credentials: {words or type(error).__name__}"


def _read_quietly(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
        return [entry for entry in content["profiles"] if isinstance(entry, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
