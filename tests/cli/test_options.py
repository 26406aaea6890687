"""The options of the commands, of the file and of the interface are the same ones."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from auditor.cli.formats import FORMATS
from auditor.cli.main import COMMANDS, cli
from auditor.cli.options import PathText, Words
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
