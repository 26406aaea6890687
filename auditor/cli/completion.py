"""`plaudit completion`: the script that makes a shell complete plaudit's commands, options and values."""

from __future__ import annotations

import click

from auditor.cli.options import talk_options
from auditor.cli.terminal import Terminal

#: What click's scripts lack.  bash: a file name where plaudit has nothing to offer (also behind `html=`).  fish: a
#: value with a comma in it is one value.
_CHANGES = {
    "bash": ("complete -o nosort -F", "complete -o nosort -o bashdefault -o default -F"),
    "fish": ('(string split "," $completion)', '(string split --max 1 "," $completion)'),
}


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@talk_options
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> int:
    """Print the script that completes commands, options and values in SHELL.

    \b
    bash   plaudit completion bash > ~/.local/share/bash-completion/completions/plaudit
    zsh    plaudit completion zsh > "${fpath[1]}/_plaudit"
    fish   plaudit completion fish > ~/.config/fish/completions/plaudit.fish

    Completed are also rule ids and tags, severities, formats, scenarios, and the names of profiles; nothing else is
    taken from the file they stand in, and nothing is asked of the cloud.
    """  # fmt: skip
    from click.shell_completion import ShellComplete, get_completion_class

    terminal = ctx.ensure_object(Terminal)
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choices are click's own shells
    # Not the method of the class: that of bash starts a bash to ask for its version, which may be another machine's.
    script = ShellComplete.source(kind(ctx.find_root().command, {}, "plaudit", "_PLAUDIT_COMPLETE"))
    if shell in _CHANGES:
        before, after = _CHANGES[shell]
        assert before in script  # noqa: S101 - a newer click; the test says so first
        script = script.replace(before, after)
    terminal.write(script)
    return 0
