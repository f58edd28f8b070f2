"""Pages for people: plain HTML without scripts, everything from outside escaped."""

import html
from string import Template
from typing import Final

import falcon

from adapters_http.context import Response
from retail_core.accounts.model import Locale

HTML: Final = "text/html; charset=utf-8"
SECURITY_POLICY: Final = (
    "default-src 'none';style-src 'unsafe-inline';form-action 'self';base-uri 'none';"
    "frame-ancestors 'none'"
)

_PAGE: Final = Template(
    """<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem;
  color: #1c1c1e; background: #fff; }
button { font: inherit; padding: .7rem 1.4rem; border: 0; border-radius: .5rem; color: #fff;
  background: #1f4fd1; cursor: pointer; }
</style>
</head>
<body>
<h1>$title</h1>
$content
</body>
</html>
"""
)


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def button(label: str, action: str) -> str:
    """A form with one button; it posts `action` to the page's own address."""
    return (
        f'<form method="post"><input type="hidden" name="action" value="{html.escape(action)}">'
        f"<button>{html.escape(label)}</button></form>"
    )


def show(
    resp: Response, locale: Locale, title: str, *content: str, status: str = falcon.HTTP_200
) -> None:
    """Answer with a page; `content` is HTML made by the functions above."""
    resp.status = status
    resp.content_type = HTML
    resp.set_header("Content-Security-Policy", SECURITY_POLICY)
    resp.set_header("Cache-Control", "no-store")
    resp.text = _PAGE.substitute(
        language=locale.value, title=html.escape(title), content="\n".join(content)
    )
