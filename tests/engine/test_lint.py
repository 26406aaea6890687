"""The lint: SQL of rules is judged before any data is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.engine.load import load_rules
from auditor.errors import FileError
from tests.engine.scene import FOLDER, fixture_text, load_text

TEXT = fixture_text("ZONE-901")
QUERY = TEXT[TEXT.index("query: |") : TEXT.index("remediation:")]
FIRST_LINE = TEXT[: TEXT.index("query: |")].count("\n") + 2


def _load(folder: Path, query: str, *, applies: str | None = None) -> None:
    text = TEXT.replace(QUERY, "query: |\n" + "".join(f"  {line}\n" for line in query.splitlines()))
    if applies is not None:
        text = text.replace("applies: r.endpoint_type = 'Interface'", f'applies: "{applies}"')
    load_text(folder, text)


REFUSED = [
    # what it reads
    ("select endpoint_id, true as compliant from vswitches", 1, "the query reads vswitches; name it under evidence"),
    ("select endpoint_id, true as compliant from endpoint_access", 1, "the query reads endpoint_access"),
    ("select endpoint_id, true as compliant from endpoint_zoness", 1, "did you mean endpoint_zones"),
    ("select endpoint_id, true as compliant from _endpoint", 1, "there is no table _endpoint"),
    ("select endpoint_id, true as compliant from coverage", 1, "there is no table coverage"),
    ("select endpoint_id, true as compliant from main.endpoint_zones", 1, "with a schema"),
    ("select endpoint_id, true as compliant\nfrom scope, read_csv('/etc/passwd')", 2, "read_csv"),
    ("select endpoint_id, true as compliant from '/etc/passwd'", 1, "there is no table /etc/passwd"),
    ("select endpoint_id, true as compliant from scope, duckdb_settings()", 1, "duckdb_settings"),
    ("select endpoint_id, true as compliant from scope, pragma_version()", 1, "pragma_version"),
    ("select endpoint_id, true as compliant from scope, query('select 1')", 1, "query"),
    ("select endpoint_id, getenv('HOME') = '' as compliant from scope", 1, "getenv"),
    ("select endpoint_id, current_setting('threads') = 2 as compliant from scope", 1, "current_setting"),
    ("select endpoint_id, random() < 0.5 as compliant from scope", 1, "random"),
    ("select endpoint_id,\nnow() > '2026-01-01' as compliant from scope", 2, "now"),
    ("select endpoint_id, current_timestamp > '2026-01-01' as compliant from scope", 1, "current_timestamp"),
    ("select endpoint_id, age(timestamp '2026-01-01') > interval 1 day as compliant from scope", 1, "age"),
    ("select endpoint_id, true as compliant, string_agg(name, ', ') as observed from scope group by 1", 1, "order"),
    ("select endpoint_id, true as compliant from scope using sample 1", 1, "sample"),
    ("with endpoint_zones as (select 1) select endpoint_id, true as compliant from scope", 1, "table of the engine"),
    (
        "with scope as (select 1 as endpoint_id) select endpoint_id, true as compliant from scope",
        1,
        "given by the engine",
    ),
    ("with _endpoint as (select 1) select endpoint_id, true as compliant from scope", 1, "table of the engine"),
    (
        "with recursive x as (select endpoint_id from scope union all select endpoint_id from x) "
        "select endpoint_id, true as compliant from x",
        1,
        "recursive",
    ),
    ("select endpoint_id, true as compliant from scope where endpoint_id = ?", 1, ""),
    # what it is
    ("drop table endpoints", 1, "is not one SELECT"),
    ("select endpoint_id, true as compliant from scope; select 1", 1, "exactly one SELECT"),
    ("insert into endpoints values (1)", 1, "is not one SELECT"),
    ("copy endpoints to '/tmp/x'", 1, "is not one SELECT"),
    ("select endpoint_id, tru as compliant from scope", 1, "tru"),
    ("select endpoint_id true as from compliant", 1, "is not one SELECT"),
    # what it gives
    ("select service_id, true as compliant from scope", 1, "key column `endpoint_id`"),
    ("select endpoint_id, true as ok from scope", 1, "has to give `compliant`"),
    ("select endpoint_id, 1 as compliant from scope", 1, "`compliant` is INTEGER"),
    # how it treats NULL
    ("select endpoint_id,\nbool_and(given) as compliant from scope group by 1", 2, "write all_true"),
    ("select endpoint_id, bool_or(given) as compliant from scope group by 1", 1, "bool_or"),
    ("select endpoint_id, coalesce(given, true) as compliant from scope", 1, "coalesce"),
    ("select endpoint_id, ifnull(given, true) as compliant from scope", 1, "coalesce"),
    ("select endpoint_id, if(given, true, false) as compliant from scope", 1, "if turns"),
    ("select endpoint_id, vpc_id is distinct from 'x' as compliant from scope", 1, "is distinct from"),
    ("select endpoint_id, vpc_id is not distinct from 'x' as compliant from scope", 1, "is distinct from"),
    ("select endpoint_id, given is true as compliant from scope", 1, "is distinct from"),
    ("select endpoint_id, given is not false as compliant from scope", 1, "is distinct from"),
    ("select endpoint_id,\ncase when given then true else false end as compliant\nfrom scope", 2, "`else`"),
    ("select endpoint_id, greatest(given, false) as compliant from scope", 1, "greatest"),
    # … where it is hidden
    (
        "select endpoint_id, all_true(ok) as compliant from\n"
        "(select endpoint_id, coalesce(given, true) as ok from scope)\ngroup by 1",
        2,
        "coalesce",
    ),
    (
        "with x as (select endpoint_id, coalesce(given, true) as ok from scope)\n"
        "select endpoint_id, ok as compliant from x",
        1,
        "coalesce",
    ),
    ("with x as (select endpoint_id, coalesce(given, true) as compliant from scope)\nselect * from x", 1, "coalesce"),
    (
        "select endpoint_id, given as compliant from scope union all\n"
        "select endpoint_id, coalesce(given, true) from scope",
        2,
        "coalesce",
    ),
    ("select endpoint_id, true as compliant from scope where coalesce(vpc_id, '') = ''", 1, "coalesce"),
    (
        "select s.endpoint_id, true as compliant from scope s join endpoint_zones z on\n"
        "coalesce(z.zone_id, '') = s.vpc_id",
        2,
        "coalesce",
    ),
    (
        "select endpoint_id, all_true(given) as compliant from scope group by 1 having coalesce(max(vpc_id), '') = ''",
        1,
        "coalesce",
    ),
    ("select endpoint_id, (select coalesce(given, true)) as compliant from scope", 1, "coalesce"),
]


@pytest.mark.parametrize(("query", "line", "words"), REFUSED, ids=[query[:60] for query, _, _ in REFUSED])
def test_refused(tmp_path: Path, query: str, line: int, words: str) -> None:
    with pytest.raises(FileError) as caught:
        _load(tmp_path, query)
    assert words in str(caught.value)
    assert caught.value.line == FIRST_LINE + line - 1


@pytest.mark.parametrize(
    "query",
    [
        "select endpoint_id, given as compliant, coalesce(name, '-') as observed from scope",
        "select endpoint_id, given as compliant, case when given then 'low' else 'high' end as severity from scope",
        "select endpoint_id, case when given then true when not given then false end as compliant from scope",
        "select endpoint_id, case when given then true else null end as compliant from scope",
        "select endpoint_id, null as compliant from scope",
        "select endpoint_id, length(name) - 1 + 2 > 0 and started_at - interval 1 day < timestamp '2026-01-01' "
        "and date_diff('hour', started_at, timestamp '2026-01-01') = 0 as compliant from scope, scan",
        "with zones as (select endpoint_id, zone_id from endpoint_zones)\n"
        "select endpoint_id, all_true(zone_id <> '') as compliant from zones group by endpoint_id",
        "select endpoint_id, scan.started_at > '2026-01-01' as compliant from scope, scan",
        "select d.endpoint_id, d.payer = 'Endpoint' as compliant from declared_endpoints d",
        "select endpoint_id, none_true(v = 'a') as compliant from scope, unnest(['a', vpc_id]) t(v) group by 1",
        "select endpoint_id, given as compliant from scope -- a last word",
        "select endpoint_id, given as compliant from scope;",
    ],
)
def test_accepted(tmp_path: Path, query: str) -> None:
    _load(tmp_path, query + "\n")


@pytest.mark.parametrize(
    ("applies", "words"),
    [
        ("coalesce(r.given, true)", "coalesce"),
        ("r.endpoint_type", "`applies` is VARCHAR"),
        ("r.nothing = 1", "nothing"),
        ("exists (select 1 from vswitches)", "reads vswitches"),
        ("r.given is not true", "is distinct from"),
        ("case when r.given then true else false end", "`else`"),
        ("r.given) as x, (true", "is not one SELECT"),
    ],
)
def test_applies(tmp_path: Path, applies: str, words: str) -> None:
    with pytest.raises(FileError) as caught:
        _load(tmp_path, "select endpoint_id, given as compliant from scope", applies=applies)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "of: service_id}",
            'targets: "select r.endpoint_id from scope r"}',
            "these columns in order: endpoint_id, target",
        ),
        ("of: service_id}", 'targets: "select r.endpoint_id, v.vpc_id from scope r, vpcs v"}', "the query reads vpcs"),
        ("{endpoint_id} > Zones", "{endpoint} > Zones", "unknown placeholder {endpoint}, did you mean endpoint_id"),
        ("--ServiceId {service_id}", "--ServiceId '{service_id}'", "leave the quotes"),
    ],
)
def test_targets_and_placeholders(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(FileError) as caught:
        load_text(tmp_path, TEXT.replace(old, new, 1))
    assert words in str(caught.value)


def test_every_built_in_rule_is_clean() -> None:
    assert load_rules(lint_builtin=True)


def test_built_in_rules_are_linted_where_asked_and_others_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "ZONE-901.yaml").write_text(TEXT.replace(QUERY, "query: select 1 as one\n"), encoding="utf-8")
    monkeypatch.setattr("auditor.engine.load.rules_folder", lambda: tmp_path)
    assert len(load_rules()) == 1
    with pytest.raises(FileError, match="key column"):
        load_rules(lint_builtin=True)
    monkeypatch.setattr("auditor.engine.load.rules_folder", lambda: FOLDER)
    (folder / "ZONE-901.yaml").rename(folder / "ZONE-990.yaml")
    (folder / "ZONE-990.yaml").write_text(
        TEXT.replace(QUERY, "query: select 1 as one\n").replace("ZONE-901", "ZONE-990"), encoding="utf-8"
    )
    with pytest.raises(FileError, match="key column"):
        load_rules([tmp_path])
