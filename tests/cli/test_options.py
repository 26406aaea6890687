"""The options of the commands, of the file and of the interface are the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from auditor.cli.formats import FORMATS
from auditor.cli.main import COMMANDS, cli
from auditor.cli.options import FormatSetting, FormatText, KeepText, PathText, Percent, Seconds, SideText, Words
from auditor.cli.terminal import Terminal
from auditor.spec_file import CHOICES, OPTIONS

#: What section 1 of the interface promises for `scan`; baseline and waivers come with their own part.
PROMISED = {
    "--profiles",
    "--profile",
    "--config-path",
    "--regions",
    "--endpoint-url",
    "--one-sided",
    "--spec",
    "--from",
    "--save",
    "--rules",
    "--select",
    "--exclude",
    "--format",
    "--fail-on",
    "--all-outcomes",
    "--concurrency",
    "--timeout",
    "--deadline",
    "--lang",
    "-q",
    "-v",
    "--no-progress",
    "--color",
    "--allow-unknown",
    "--min-coverage",
}


def _commands(parent: click.Group = cli) -> Iterator[tuple[str, click.Command]]:
    names = COMMANDS if parent is cli else parent.commands
    for name in names:
        command = parent.get_command(None, name)  # type: ignore[arg-type] # not looked at
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from _commands(command)


def _options(command: click.Command) -> list[click.Option]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def test_scan_takes_what_is_promised() -> None:
    scan = dict(_commands())["scan"]
    names = {name for option in _options(scan) for name in option.opts}
    assert names >= PROMISED


def test_every_option_of_scan_and_collect_can_stand_in_the_file_and_in_the_environment() -> None:
    commands = dict(_commands())
    for command in (commands["scan"], commands["collect"]):
        for option in _options(command):
            long = next(name for name in option.opts if name.startswith("--"))
            if long in ("--help", "--output"):
                continue
            assert option.envvar == ["PLAUDIT_" + long[2:].replace("-", "_").upper()]
            assert long == "--spec" or long[2:] in OPTIONS


def _sample(option: click.Option) -> str:
    """A value of an option as a user would write it, other than its default."""
    if option.is_flag:
        return "true"
    if option.count:
        return "2"
    kind = option.type
    if isinstance(kind, click.Choice):
        return next(str(choice) for choice in reversed(kind.choices) if choice != option.default)
    samples: dict[type, str] = {
        Words: "RES", PathText: "some-path", FormatText: "json=r.json", Seconds: "90s", Percent: "12.5",
        KeepText: "30d", click.IntRange: "7", click.FloatRange: "12.5",
        FormatSetting: "junit.all=yes", SideText: "consumer",
    }  # fmt: skip
    return samples.get(type(kind), "https://127.0.0.1:1")


def _settable() -> list[tuple[str, str]]:
    """Command and option name, for every option that has a variable."""
    return [
        (name, next(word for word in option.opts if word.startswith("--")))
        for name in ("scan", "collect", "paths", "drift", "doctor", "policy", "feed")
        for option in _options(dict(_commands())[name])
        if option.envvar and "--spec" not in option.opts
    ]


@pytest.mark.parametrize(("name", "long"), _settable())
def test_an_option_means_the_same_on_the_line_in_the_environment_and_in_the_file(
    name: str, long: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = dict(_commands())[name]
    (option,) = [option for option in _options(command) if long in option.opts]
    assert option.name is not None
    value = _sample(option)
    words = [long] if option.is_flag else [long] * 2 if option.count else [long, value]
    required = ["a.snapshot"] if name == "drift" else ["-o", "a.snapshot"] if name == "collect" else []

    def state(arguments: list[str], source: str) -> tuple[object, ...]:
        terminal = Terminal()
        with command.make_context(name, arguments + required, obj=terminal, **cli.context_settings) as ctx:
            assert ctx.get_parameter_source(option.name or "").name == source  # type: ignore[union-attr]
            talk = (terminal.quiet, terminal.verbosity, terminal.progress, terminal.color, terminal.language)
            return (ctx.params.get(option.name or ""), *talk)

    default = state([], "DEFAULT")
    by_hand = state(words, "COMMANDLINE")
    assert by_hand != default
    with monkeypatch.context() as patched:
        patched.setenv("PLAUDIT_" + long[2:].replace("-", "_").upper(), value)
        assert state([], "ENVIRONMENT") == by_hand
    if long[2:] in OPTIONS:
        text = value if option.is_flag or option.count or value == "7" else f'"{value}"'
        Path("plaudit.yaml").write_text(f"version: 1\noptions:\n  {long[2:]}: {text}\n", encoding="utf-8")
        assert state([], "DEFAULT_MAP") == by_hand
    else:
        assert name not in ("scan", "collect")


def test_every_option_of_the_file_is_an_option() -> None:
    names = {name[2:] for _, command in _commands() for option in _options(command) for name in option.opts}
    assert set(OPTIONS) <= names


def test_the_choices_agree() -> None:
    for option in _options(dict(_commands())["scan"]):
        for name, choices in CHOICES.items():
            if f"--{name}" in option.opts:
                assert isinstance(option.type, click.Choice)
                assert tuple(option.type.choices) == choices


def test_every_option_has_help() -> None:
    for name, command in _commands():
        assert command.help, name
        for option in _options(command):
            assert option.help, (name, option.opts)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_a_name_and_a_type(name: str) -> None:
    assert FORMATS[name].media_type
    assert FORMATS[name].module == f"auditor.reporters.{name}"


def test_lists_in_the_environment() -> None:
    assert Words().split_envvar_value("a,b") == ["a", "b"]
    assert list(PathText().split_envvar_value("/a b:/c,d")) == ["/a b", "/c,d"]
