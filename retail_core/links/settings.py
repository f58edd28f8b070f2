"""How links look, as the operator says."""

from retail_core.kernel.settings import Env
from retail_core.links.urls import LinkTemplates

_FALLBACK_LINKS = LinkTemplates.of_settings(public_base_url="http://127.0.0.1")


def public_base_url(env: Env) -> str:
    """Where this service is reached from outside, without a slash at the end."""
    port = env.integer("PORT", default=3001, minimum=1, maximum=65_535)
    return env.url("PUBLIC_BASE_URL", development=f"http://127.0.0.1:{port}")


def link_templates(env: Env) -> LinkTemplates:
    """How the links of messages look (docs/api.md, 5)."""
    optional = {
        name.lower(): env.text(name, default="") or None
        for name in ("OFFER_BASE_URL", "UNSUBSCRIBE_BASE_URL", "OFFER_URL", "UNSUBSCRIBE_URL")
    }
    public = public_base_url(env)
    try:
        return LinkTemplates.of_settings(public_base_url=public, **optional)
    except ValueError as error:
        env.problem("OFFER_URL or UNSUBSCRIBE_URL", str(error))
        return _FALLBACK_LINKS
