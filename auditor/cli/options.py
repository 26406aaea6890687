"""Options that several commands share, each also as PLAUDIT_<OPTION> and under `options:` of the specification."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from auditor.cli.completing import deferred
from auditor.cli.formats import FORMATS, setting_names
from auditor.cli.terminal import Terminal
from auditor.languages import Language, of_environment
from auditor.spec import Spec
from auditor.spec_file import CHOICES, KEEP_REPORTS, load_spec, seconds_of

F = TypeVar("F", bound=Callable[..., Any])
SPEC_KEY = "auditor.spec"


class Words(click.ParamType[str]):
    """A list, at commas; in an environment variable too."""

    name = "name[,name]"
    envvar_list_splitter = ","

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


class PathText(click.ParamType[Path]):
    """A path in a list; an environment variable holds several as PATH does."""

    name = "path"
    envvar_list_splitter = os.pathsep

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value):
            self.fail("is empty", param, ctx)
        return Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class FormatText(click.ParamType[tuple[str, Path | None]]):
    """`FORMAT` or `FORMAT=PATH`; `-` is standard output."""

    name = "format[=path]"
    envvar_list_splitter = ","

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path | None]:
        if isinstance(value, tuple):
            return value  # click converts a default twice
        name, separator, path = str(value).partition("=")
        name = name.strip()
        if name not in FORMATS:
            from auditor.yaml_reader import did_you_mean

            hint = did_you_mean(name, FORMATS) or f"; known are {', '.join(FORMATS)}"
            self.fail(f"unknown format {name!r}{hint}", param, ctx)
        if separator and not path:
            self.fail(f"{value!r} names no path; write {name}=FILE, or {name} for standard output", param, ctx)
        if not path or path == "-":
            return name, None
        from auditor.cli.report_names import check_name

        check_name(Path(path))
        return name, Path(path)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in FORMATS if name.startswith(incomplete)]


class FormatSetting(click.ParamType[tuple[str, str, bool | str]]):
    """`FORMAT.SETTING=VALUE`, as (format, parameter of its renderer, value)."""

    name = "format.setting=value"
    envvar_list_splitter = ","

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, bool | str]:
        if isinstance(value, tuple):
            return value  # click converts a default twice
        place, separator, word = str(value).partition("=")
        form, _, key = place.strip().partition(".")
        known = FORMATS[form].settings.get(key) if form in FORMATS else None
        if known is None:
            from auditor.yaml_reader import did_you_mean

            hint = did_you_mean(place, setting_names()) or f"; known are {', '.join(setting_names())}"
            self.fail(f"unknown setting {place!r}{hint}", param, ctx)
        if not separator:
            shown = {"flag": "yes", "text": "TEXT", "file": "FILE"}[known.kind]
            self.fail(f"{place} has no value; write {place}={shown}", param, ctx)
        try:
            return form, known.parameter, known.read(word)
        except ValueError as error:
            self.fail(f"{place} {error}", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(f"{name}=") for name in setting_names() if name.startswith(incomplete)]


class SideText(click.ParamType[tuple[str, tuple[str, ...]]]):
    """`SIDE` or `SIDE:ACCOUNT`, with commas between the accounts of one company."""

    name = "side[:account]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        if isinstance(value, tuple):
            return value  # click converts a default twice
        side, separator, accounts = str(value).partition(":")
        ids = tuple(word.strip() for word in accounts.split(",") if word.strip())
        if side not in ("provider", "consumer"):
            self.fail(f"{side!r} is not a side; write provider or consumer", param, ctx)
        if separator and not ids:
            self.fail(f"{value!r} names no account; write {side}:ACCOUNT, or {side}", param, ctx)
        return side, ids

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(side) for side in ("provider", "consumer") if side.startswith(incomplete)]


class KeepText(click.ParamType[str]):
    """`30` reports, or `30d` for days."""

    name = "n|days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if KEEP_REPORTS.match(str(value)) is None:
            self.fail(f"{str(value)!r} is not a number of reports above zero, or of days like 30d", param, ctx)
        return str(value)


class Seconds(click.ParamType[float]):
    """A duration: seconds, or 90s, 30m, 2h."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return seconds_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Percent(click.ParamType[float]):
    """0 to 100, with or without the sign."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(str(value).removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number <= 100:
            self.fail(f"{value!r} is not a percentage from 0 to 100", param, ctx)
        return number


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """A click option that can be set as PLAUDIT_<OPTION> too, named after its first long name."""
    long = next(name for name in names if name.startswith("--"))
    variable = "PLAUDIT_" + long[2:].replace("-", "_").upper()
    return click.option(*names, envvar=[variable], **settings)


def words(ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Every `A,B` as two; empty words are nothing."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _read_spec(ctx: click.Context, _param: click.Parameter, path: Path | None) -> Spec:
    """Reads the specification before the other options are looked at: it may hold some of them."""
    if ctx.resilient_parsing:
        return Spec()
    spec = load_spec(path)
    defaults = dict(ctx.default_map or {})
    for parameter in ctx.command.params:
        for name in parameter.opts:
            if name.startswith("--") and name[2:] in spec.options and parameter.name is not None:
                defaults[parameter.name] = spec.options[name[2:]]
    ctx.default_map = defaults
    ctx.meta[SPEC_KEY] = spec
    return spec


def _together(*decorators: Callable[[Any], Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


spec_option = option(
    "--spec",
    type=PathText(),
    is_eager=True,
    callback=_read_spec,
    metavar="FILE",
    help="The audit specification; default plaudit.yaml, if the current folder has one.",
)

cloud_options = _together(
    option(
        "--profiles", "--profile", "profiles", multiple=True, type=Words(), callback=words, metavar="A,B",
        shell_complete=deferred("profiles"),
        help="Profiles of the Alibaba Cloud CLI file, any number; default: its current one.",
    ),
    option(
        "--config-path", type=PathText(), metavar="FILE",
        help="The Alibaba Cloud CLI configuration file; default ~/.aliyun/config.json.",
    ),
    option(
        "--regions", "--region", "regions", multiple=True, type=Words(), callback=words, metavar="R1,R2",
        help="Default: every region in which an account has an endpoint or an endpoint service.",
    ),
    option(
        "--endpoint-url", metavar="URL",
        help="One API server for all products; http only for loopback.",
    ),
    option("--concurrency", type=click.IntRange(1, 1024), default=16, show_default=True, metavar="N",
           help="Calls in flight at most."),
    option("--timeout", type=Seconds(), default=10.0, show_default=True, metavar="S",
           help="Bound on one call: seconds, or 90s, 2m."),
    option("--deadline", type=Seconds(), metavar="S",
           help="Bound on the whole collection; what was read by then is judged."),
)  # fmt: skip

rule_options = _together(
    option("--rules", "rule_folders", multiple=True, type=PathText(), metavar="DIR", help="Extra folder of rules."),
    option("--select", multiple=True, type=Words(), callback=words, metavar="A,B", shell_complete=deferred("rules"),
           help="Only these rules: ids, prefixes (SG), tags."),
    option("--exclude", multiple=True, type=Words(), callback=words, metavar="A,B", shell_complete=deferred("rules"),
           help="Not these rules."),
)  # fmt: skip

judge_options = _together(
    option("--one-sided", is_flag=True,
           help="Rules that need an account which was not given are not applicable instead of unknown."),
    option("--fail-on", type=click.Choice(CHOICES["fail-on"]), default="high", show_default=True,
           help="Threshold of the gate: exit 3 from this severity on."),
    option("--allow-unknown", is_flag=True, help="Exit 0 although something could not be judged; the report says so."),
    option("--min-coverage", type=Percent(), metavar="PERCENT",
           help="How many reads have to be complete; default: all."),
)  # fmt: skip

acceptance_options = _together(
    option("--baseline", type=PathText(), metavar="FILE",
           help="Gate only on failures that are not in this list of `plaudit baseline write`."),
    option("--waivers", type=PathText(), metavar="FILE",
           help="Accepted failures with reason, owner and last day."),
    option("--waivers-strict", is_flag=True, help="Exit 2 if a waiver is expired or matches nothing."),
)  # fmt: skip

probe_options = _together(
    option("--probe", "probes", multiple=True, type=PathText(), metavar="FILE",
           help="Take this result of `plaudit probe` as evidence; repeatable."),
    option("--probe-max-age", type=Seconds(), default=24 * 3600.0, show_default="24h", metavar="S",
           help="A probe that is further than this from the snapshot is no evidence."),
)  # fmt: skip

history_options = _together(
    option("--no-history", is_flag=True, help="Neither read nor write the history of past scans."),
    option("--lock-wait", type=Seconds(), metavar="S",
           help="Wait so long for another run on the same state directory; default: exit 75 at once."),
)  # fmt: skip

report_options = _together(
    option("--format", "formats", multiple=True, type=FormatText(), metavar="F[=PATH]",
           help=f"{', '.join(FORMATS)}; without a path to standard output, at most one of those. Default: table. "
                "{date}, {time} and {scan_id} can stand in the file name; a copy is then called latest."),
    option("--format-option", "format_settings", multiple=True, type=FormatSetting(), metavar="F.SETTING=VALUE",
           help=f"Of a format (docs/formats.md): {', '.join(setting_names())}."),
    option("--html-dir", type=PathText(), metavar="DIR",
           help="Write the HTML report into this folder too, as separate files, for servers whose policy refuses style "
                "and script inside a page (Jenkins). The folder is replaced whole."),
    option("--keep-reports", type=KeepText(), metavar="N|DAYS",
           help="Of reports and snapshots with {date}, {time} or {scan_id} in their names keep so many (30), or those "
                "of so many days (30d); only files that plaudit made by the same name are deleted."),
    option("--all-outcomes", is_flag=True, help="List passed and not applicable outcomes too."),
)  # fmt: skip


reader_options = _together(
    option("--side", type=SideText(), metavar="S[:ACCOUNT]",
           help="The documents for one side only, provider or consumer: its own objects whole, of the other verdicts."),
)  # fmt: skip

redact_option = option(
    "--redact", is_flag=False, flag_value="", metavar="[=KEYFILE]",
    help="Pseudonyms in place of ids, accounts, addresses and names; the same in every run with one key file.",
)  # fmt: skip


def _talk(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    terminal = ctx.find_object(Terminal)
    if terminal is None:
        return value
    match param.name:
        case "quiet":
            terminal.quiet = bool(value)
        case "verbose":
            terminal.verbosity = int(value)
        case "no_progress":
            terminal.progress = not value
        case "color":
            terminal.color = value
        case "lang":
            # a group and its subcommand both have the option: the one that was given counts
            if ctx.get_parameter_source("lang") is not click.core.ParameterSource.DEFAULT:
                terminal.language = Language(value)
            elif not terminal.configured:
                terminal.language = Language(of_environment(os.environ))
    terminal.configure()
    return value


talk_options = _together(
    option("-q", "--quiet", is_flag=True, expose_value=False, callback=_talk,
           help="Nothing on standard error unless something is wrong."),
    option("-v", "--verbose", count=True, expose_value=False, callback=_talk,
           help="Log to standard error; twice for every call."),
    option("--no-progress", is_flag=True, expose_value=False, callback=_talk, help="No progress display."),
    option("--color", type=click.Choice(CHOICES["color"]), default="auto", show_default=True, expose_value=False,
           callback=_talk, help="Colours on standard output; NO_COLOR is honoured."),
    option("--lang", type=click.Choice(CHOICES["lang"]), expose_value=False, callback=_talk, is_eager=True,
           help="Language of reports and messages for people; machine formats stay English. Default: that of LC_ALL, "
                "LC_MESSAGES or LANG."),
)  # fmt: skip


def given_by_hand(ctx: click.Context, name: str) -> bool:
    """Whether a parameter stood on the command line."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
