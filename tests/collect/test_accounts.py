"""Profiles of the CLI file, their mistakes, and credentials that never show a secret."""

from __future__ import annotations

import json
import logging
import pickle
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.collect.accounts import MODES, Credential, Profile, load_profiles
from auditor.collect.answers import CloudError
from auditor.errors import FileError, UsageError

SECRET = "sEcReT/sEcReT+sEcReT"
AK = {"mode": "AK", "access_key_id": "LTAI5tExampleKey", "access_key_secret": SECRET, "region_id": "eu-central-1"}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(*profiles: Any, current: str = "") -> Path:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"current": current, "profiles": list(profiles)}), encoding="utf-8")
        path.chmod(0o600)
        return path

    return written


def test_named_profiles_in_the_order_given(write: Any) -> None:
    path = write({"name": "a", **AK}, {"name": "b", **AK, "region_id": ""})
    assert load_profiles(path, ["b", "a"]) == [
        Profile("b", "AK", None, path, ("b",)),
        Profile("a", "AK", "eu-central-1", path, ("a",)),
    ]


def test_without_names_the_profile_of_the_cli(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write({"name": "a", **AK}, {"name": "b", **AK}, current="b")
    assert [profile.name for profile in load_profiles(path)] == ["b"]
    monkeypatch.setenv("ALICLOUD_PROFILE", "a")
    assert [profile.name for profile in load_profiles(path)] == ["a"]
    monkeypatch.delenv("ALICLOUD_PROFILE")
    with pytest.raises(FileError, match="no profile is current"):
        load_profiles(write({"name": "a", **AK}))


def test_a_profile_given_twice_is_read_once_and_said_so(write: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(load_profiles(write({"name": "a", **AK}), ["a", "a"])) == 1
    assert "given twice" in caplog.text


def test_an_unknown_profile_is_named_with_file_and_choices(write: Any) -> None:
    path = write({"name": "a", **AK}, {"name": "b", **AK})
    with pytest.raises(UsageError) as caught:
        load_profiles(path, ["c"])
    for part in (str(path), "'c'", "a, b"):
        assert part in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('{"current": "a",\n "profiles": [\n', 3, "not JSON"),
        ("", 1, "not JSON"),
        ("[]", 1, "profiles"),
        ('{"profiles": {}}', 1, "profiles"),
        ('{"x": 1,\n\n"profiles": [1]}', 3, "entry 1"),
        ('{"profiles": [{"mode": "AK"}]}', 1, "entry 1"),
        ("[" * 100_000, 1, "not JSON"),
        (b"\n\xff\xfe", 2, "UTF-8"),
    ],
)
def test_malformed_files_are_named_with_their_line(tmp_path: Path, content: str | bytes, line: int, words: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    with pytest.raises(FileError) as caught:
        load_profiles(path, ["a"])
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert words in str(caught.value)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="aliyun configure"):
        load_profiles(tmp_path / "none.json", ["a"])
    with pytest.raises(FileError):
        load_profiles(tmp_path, ["a"])


@pytest.mark.parametrize("mode", ["CredentialsURI", "RsaKeyPair", "BearerToken", "Anonymous", "ak", None, 7])
def test_other_modes_come_with_a_way_out(write: Any, mode: Any) -> None:
    with pytest.raises(UsageError) as caught:
        load_profiles(write({"name": "a", **AK, "mode": mode}), ["a"])
    text = str(caught.value)
    assert "'a'" in text
    assert ", ".join(MODES) in text
    assert ('write "AK"' in text) is (mode == "ak")
    assert SECRET not in text


@pytest.mark.parametrize("mode", [mode for mode, keys in MODES.items() if keys])
def test_a_profile_without_what_its_mode_needs(write: Any, mode: str) -> None:
    with pytest.raises(UsageError, match=f"has no {MODES[mode][0]}"):
        load_profiles(write({"name": "a", "mode": mode}), ["a"])


def test_chains_of_profiles(write: Any) -> None:
    chained = {"mode": "ChainableRamRoleArn", "ram_role_arn": "acs:ram::1:role/x"}
    path = write(
        {"name": "base", **AK},
        {"name": "one", **chained, "source_profile": "base"},
        {"name": "two", **chained, "source_profile": "one"},
        {"name": "self", **chained, "source_profile": "self"},
        {"name": "ring", **chained, "source_profile": "gnir"},
        {"name": "gnir", **chained, "source_profile": "ring"},
        {"name": "lost", **chained, "source_profile": "nobody"},
    )
    assert load_profiles(path, ["two"])[0].chain == ("two", "one", "base")
    for name, words in (("self", "self -> self"), ("ring", "ring -> gnir -> ring"), ("lost", "'nobody'")):
        with pytest.raises(UsageError, match=words):
            load_profiles(path, [name])


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_file_others_can_read_is_warned_about(write: Any, caplog: pytest.LogCaptureFixture, mode: int) -> None:
    path = write({"name": "a", **AK})
    path.chmod(mode)
    with caplog.at_level(logging.WARNING):
        load_profiles(path, ["a"])
    assert "chmod 600" in caplog.text


def test_the_file_switched_off_by_the_environment(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")
    with pytest.raises(UsageError, match="ALIBABA_CLOUD_CLI_PROFILE_DISABLED"):
        load_profiles(write({"name": "a", **AK}), ["a"])


def test_profiles_travel_without_secrets(write: Any) -> None:
    (profile,) = load_profiles(write({"name": "a", **AK}), ["a"])
    data = pickle.dumps(profile)
    assert SECRET.encode() not in data
    assert pickle.loads(data) == profile


# --------------------------------------------------------------------------------------------------- credentials


def test_static_credentials_come_from_the_official_library(write: Any) -> None:
    path = write({"name": "a", **AK}, {"name": "sts", **AK, "mode": "StsToken", "sts_token": "CAIStoken"})
    one, two = (Credential(profile).get_credential() for profile in load_profiles(path, ["a", "sts"]))
    assert (one.access_key_id, one.access_key_secret, one.security_token) == (AK["access_key_id"], SECRET, None)
    assert two.security_token == "CAIStoken"
    assert one.provider_name == "cli_profile/static_ak"


def _external(tmp_path: Path, **answer: str) -> dict[str, str]:
    script = tmp_path / "keys.py"
    script.write_text(
        f"import pathlib\nlog = pathlib.Path({str(tmp_path / 'runs')!r})\n"
        "log.write_text((log.read_text() if log.exists() else '') + 'x')\n"
        f"print({json.dumps(json.dumps(answer))})\n",
        encoding="utf-8",
    )
    return {"mode": "External", "process_command": f"{sys.executable} {script}"}


def test_external_runs_once_and_writes_nothing_back(write: Any, tmp_path: Path) -> None:
    keys = {"mode": "AK", "access_key_id": "LTAIexternal", "access_key_secret": SECRET}
    path = write({"name": "ext", **_external(tmp_path, **keys)})
    before = path.read_bytes()
    credential = Credential(load_profiles(path, ["ext"])[0])
    for _ in range(5):
        assert credential.get_credential().access_key_id == "LTAIexternal"
    assert path.read_bytes() == before
    assert (tmp_path / "runs").read_text() == "x"
    copy = Path(credential._client.cloud_credential.provider._profile_file)
    assert copy != path
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    del credential
    assert not copy.parent.exists()


def test_a_failing_command_is_a_gap_without_its_secrets(write: Any, tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text(f"import sys\nsys.exit('access_key_secret={SECRET} LTAI5tLeaked')", encoding="utf-8")
    path = write({"name": "ext", "mode": "External", "process_command": f"{sys.executable} {script}"})
    with pytest.raises(CloudError) as caught:
        Credential(load_profiles(path, ["ext"])[0]).get_credential()
    assert caught.value.code == "Plaudit.Credentials"
    assert caught.value.credentials
    assert "'ext'" in caught.value.message
    assert SECRET not in str(caught.value)
    assert "LTAI5tLeaked" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        "HTTPSConnectionPool(host='sts.aliyuncs.com', port=443): Max retries exceeded with url: /?Action=AssumeRole"
        f"&AccessKeyId=LTAI5tExampleKey&SecurityToken=CAIStokenCAIS&Signature={SECRET}",
        f"refresh session token err, httpCode: 400, result = {{'Code': 'X', 'AccessKeySecret': '{SECRET}'}}",
        f"https://sts.aliyuncs.com/?Signature={SECRET}&AccessKeyId=LTAI5tExampleKey gave 403",
        SECRET,
    ],
)
def test_a_failing_assume_role_shows_no_signed_url(write: Any, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    from alibabacloud_credentials.provider import ram_role_arn

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr(ram_role_arn.RamRoleArnCredentialsProvider, "get_credentials", fail)
    path = write({"name": "role", **AK, "mode": "RamRoleArn", "ram_role_arn": "acs:ram::1:role/x"})
    with pytest.raises(CloudError) as caught:
        Credential(load_profiles(path, ["role"])[0]).get_credential()
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    for secret in (SECRET, "LTAI5tExampleKey", "CAIStoken"):
        assert secret not in shown
    assert "'role' (RamRoleArn)" in shown


def test_keys_in_the_environment_do_not_win_over_the_profile(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIother")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "other")
    (profile,) = load_profiles(write({"name": "a", **AK}), ["a"])
    assert Credential(profile).get_credential().access_key_id == AK["access_key_id"]


def test_a_file_that_went_away_is_a_gap(write: Any) -> None:
    path = write({"name": "a", **AK})
    (profile,) = load_profiles(path, ["a"])
    path.unlink()
    with pytest.raises(CloudError) as caught:
        Credential(profile).get_credential()
    assert caught.value.code == "Plaudit.Credentials"
