"""Pages for people: plain HTML without scripts, everything from outside escaped.

They are read on phones first: nothing is wider than the screen, buttons are as wide as a thumb
needs, and light or dark follows the phone. The policy allows the one style sheet and nothing else.
"""

import hashlib
import html
from base64 import b64encode
from string import Template
from typing import Final

import falcon

from adapters_http.web.context import Response
from retail_core.accounts.model import Locale

HTML: Final = "text/html; charset=utf-8"

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1d22; --soft: #565b66; --paper: #f3f4f7;
  --card: #ffffff; --edge: #d9dce3; --main: #1f4fd1; --on-main: #ffffff; --test: #7a3e00;
  --on-test: #fff3e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1f2f5; --soft: #b3b8c4; --paper: #14161a;
  --card: #1f2228; --edge: #3a3f49; --main: #9db8ff; --on-main: #0d1a3d; --test: #ffd9a8;
  --on-test: #3b2400; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 1.125rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
main { max-width: 30rem; margin: 0 auto; padding: 1.5rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: 1rem; }
h1 { margin: 0 0 1rem; font-size: 1.6rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
.from { margin: 0 0 .5rem; color: var(--soft); font-size: 1rem; font-weight: 600; }
.note { color: var(--soft); font-size: 1rem; }
.test { padding: .75rem 1rem; border-radius: .5rem; color: var(--test);
  background: var(--on-test); font-weight: 600; }
form { margin: 1.5rem 0 0; }
main > :last-child { margin-bottom: 0; }
button { width: 100%; min-height: 3.25rem; padding: .75rem 1rem; border: 2px solid var(--main);
  border-radius: .75rem; background: var(--main); color: var(--on-main); font: inherit;
  font-weight: 600; cursor: pointer; overflow-wrap: anywhere; }
button.other { background: transparent; color: var(--main); }
button:focus-visible, a:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
"""
_STYLE_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
SECURITY_POLICY: Final = (
    f"default-src 'none';style-src 'sha256-{_STYLE_HASH}';form-action 'self';base-uri 'none';"
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
<style>$style</style>
</head>
<body>
<main>
$content
</main>
</body>
</html>
"""
)


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; `kind` is a class of the style sheet."""
    said = f' class="{kind}"' if kind else ""
    return f"<p{said}>{html.escape(text)}</p>"


def button(label: str, action: str, *, is_other: bool = False) -> str:
    """A form with one button; it posts `action` to the page's own address.

    `is_other` draws it as what most people will not want now.
    """
    said = ' class="other"' if is_other else ""
    return (
        f'<form method="post"><input type="hidden" name="action" value="{html.escape(action)}">'
        f"<button{said}>{html.escape(label)}</button></form>"
    )


def show(
    resp: Response,
    locale: Locale,
    title: str,
    *content: str,
    store: str = "",
    status: str = falcon.HTTP_200,
) -> None:
    """Answer with a page; `content` is HTML made by the functions above.

    `store` stands above the title: whose page it is.
    """
    resp.status = status
    resp.content_type = HTML
    resp.set_header("Content-Security-Policy", SECURITY_POLICY)
    resp.set_header("Cache-Control", "no-store")
    heading = f"<h1>{html.escape(title)}</h1>"
    above = [paragraph(store, "from")] if store else []
    resp.text = _PAGE.substitute(
        language=locale.value,
        title=html.escape(f"{title} · {store}" if store else title),
        style=_STYLE,
        content="\n".join((*above, heading, *content)),
    )
