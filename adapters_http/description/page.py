"""The description as a page for people: plain HTML, no scripts, nothing from elsewhere."""

import html
import json
from collections.abc import Iterable, Mapping
from string import Template
from typing import Any, Final

_PAGE: Final = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1e; background: #fff; }
nav a { margin-right: 1rem; }
details { border: 1px solid #d5d5da; border-radius: .5rem; margin: .5rem 0; padding: .5rem 1rem; }
summary { cursor: pointer; }
b { display: inline-block; min-width: 4.5rem; }
code, pre { font: .9rem/1.4 ui-monospace, monospace; }
pre { background: #f4f4f6; padding: .75rem; border-radius: .5rem; overflow-x: auto; }
table { border-collapse: collapse; }
td { border-top: 1px solid #e4e4e8; padding: .3rem 1rem .3rem 0; vertical-align: top; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$summary For programs: <a href="/openapi.json">openapi.json</a>.</p>
<nav>$areas</nav>
$content
</body>
</html>
"""
)


def page(document: Mapping[str, Any]) -> str:
    """Every operation with its parameters, examples and answers, area by area."""
    by_area: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, row in methods.items():
            by_area.setdefault(row["tags"][0], []).append(_row(document, method, path, row))
    sections = (
        f'<h2 id="{_text(area)}">{_text(area)}</h2>\n' + "\n".join(rows)
        for area, rows in sorted(by_area.items())
    )
    links = (f'<a href="#{_text(area)}">{_text(area)}</a>' for area in sorted(by_area))
    return _PAGE.substitute(
        title=_text(document["info"]["title"]),
        summary=_text(document["info"]["summary"]),
        areas=" ".join(links),
        content="\n".join(sections),
    )


def _row(document: Mapping[str, Any], method: str, path: str, row: Mapping[str, Any]) -> str:
    name = _text(row["operationId"])
    title = f"<b>{method.upper()}</b> <code>{_text(path)}</code> {_text(row['summary'])}"
    parts = [
        f'<details id="{name}"><summary>{title}</summary>',
        _callers(row),
        _table("Parameters", (_parameter(document, each) for each in row["parameters"])),
        _body(row.get("requestBody", {})),
        _table("Answers", (_answer(document, *each) for each in row["responses"].items())),
        _samples(row["responses"]),
        "</details>",
    ]
    return "\n".join(filter(None, parts))


def _callers(row: Mapping[str, Any]) -> str:
    names = [" and ".join(each) or "nothing" for each in row["security"]]
    needed = " or ".join(names) if names else "nothing"
    scope = row.get("x-scope")
    scoped = f"; an API key needs the scope <code>{_text(scope)}</code>" if scope else ""
    return f"<p>Proof: {_text(needed)}{scoped}.</p>"


def _parameter(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> tuple[str, ...]:
    known = _followed(document, parameter)
    needed = "required" if known.get("required") else ""
    schema = known["schema"]
    words = [*map(str, schema.get("enum", ())), *_bounds(schema)]
    return (
        f"<code>{_text(known['name'])}</code>",
        _text(" ".join(filter(None, (known["in"], needed)))),
        _text(known.get("description", "")),
        _text(", ".join(words)),
    )


def _bounds(schema: Mapping[str, Any]) -> Iterable[str]:
    if "minimum" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}"
    if "default" in schema:
        yield f"default {schema['default']}"


def _answer(document: Mapping[str, Any], status: str, answer: Mapping[str, Any]) -> tuple[str, ...]:
    text = html.escape(_followed(document, answer)["description"])
    return f"<code>{status}</code>", text.replace("\n", "<br>")


def _body(body: Mapping[str, Any]) -> str:
    contents = body.get("content", {})
    if not contents:
        return ""
    kinds = ", ".join(f"<code>{_text(kind)}</code>" for kind in contents)
    example = next(iter(contents.values()))["example"]
    return f"<p>Body: {kinds}</p>{_code(example)}"


def _samples(answers: Mapping[str, Any]) -> str:
    """Replies of what went well."""
    found = []
    for status, answer in answers.items():
        for kind, content in answer.get("content", {}).items():
            if status.startswith("2") and "example" in content:
                found.append(f"<p>{status} <code>{_text(kind)}</code></p>")
                found.append(_code(content["example"]))
    return "\n".join(found)


def _table(title: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<p>{title}</p><table>{''.join(lines)}</table>" if lines else ""


def _code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<pre>{_text(text)}</pre>"


def _followed(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference points at."""
    if "$ref" not in part:
        return part
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    known: Mapping[str, Any] = found
    return known


def _text(text: object) -> str:
    return html.escape(str(text))
