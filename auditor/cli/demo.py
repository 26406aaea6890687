"""`plaudit demo`: a simulated two-account deployment, scanned through the real client and reported."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from auditor.cli.exit import Gate
from auditor.cli.options import PathText, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError
from auditor.languages import marked
from auditor.spec import Spec

#: Scenarios of the demonstration and what each one shows.
STORIES = {
    "tutorial": marked("one endpoint service, one consumer, built as the documentation says"),
    "broken": marked("the same with faults in it"),
}


@click.command()
@click.option(
    "--output",
    "folder",
    type=PathText(),
    default=Path("plaudit-demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the reports are written.",
)
@talk_options
@click.pass_context
def demo(ctx: click.Context, *, folder: Path) -> int:
    """Scan a simulated two-account deployment: no account, no network, no credentials.

    A server on 127.0.0.1 answers as Alibaba Cloud would; everything else is the real thing.  The exit code is 0 if the
    demonstration worked, whatever it found.
    """  # fmt: skip
    from auditor.simulator import Simulator
    from auditor.simulator.scenarios import SCENARIOS

    terminal = ctx.ensure_object(Terminal)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be created: {error.strerror}; name another with --output") from None
    written: list[Path] = []
    for name, story in STORIES.items():
        with Simulator(SCENARIOS[name]()) as simulator, tempfile.TemporaryDirectory(prefix="plaudit-") as private:
            config = Path(private) / "config.json"
            profiles = simulator.write_config(config)
            terminal.write(f"\n=== {name}: {terminal.language.text(story)} ===\n\n")
            written += _scan(terminal, simulator.url, config, profiles, folder / name)
    said = terminal.language.text("The reports are in")
    terminal.write(f"\n{said}\n" + "".join(f"  {path}\n" for path in written))
    return 0


def _scan(terminal: Terminal, url: str, config: Path, profiles: list[str], stem: Path) -> list[Path]:
    """One scan with its documents; returns the files written."""
    from auditor.cli import gathering, output, reporting
    from auditor.cli.judging import judged, selected_rules, tables_for

    rules = selected_rules(())
    gate = Gate()
    files = [("html", stem.with_suffix(".html")), ("json", stem.with_suffix(".json"))]
    with output.opened([("table", None), *files]) as outputs:
        cloud = gathering.Cloud(profiles, config, endpoint_url=url)
        tables = tables_for(rules, Spec(), paths=True)
        snapshot = gathering.collect_snapshot(cloud, cloud.accounts(), terminal, tables=tables, spec=Spec())
        findings, paths = judged(snapshot, rules, Spec(), one_sided=False)
        report = reporting.build_report(
            snapshot, findings, fail_on=gate.fail_on, all_outcomes=False, rules_selected=len(rules), paths=paths
        )
        verdict = reporting.write_documents(report, outputs.documents, terminal, gate)
    language = terminal.language
    text = language.text(
        "`plaudit scan` would exit with {code}: {reasons}",
        code=verdict.code,
        reasons=language.sentences(map(language.said, verdict.reasons)) or language.text("all is well"),
    )
    terminal.write(f"\n{text}\n")
    return [path for _, path in files]
