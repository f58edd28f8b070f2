"""What the edge must be told about contacts: consent, imports, the pages of the way out."""

from typing import Final, Self
from urllib.parse import quote

import attrs

from adapters_http.security.proof_keys import ProofKeys
from retail_core.contacts.model import ResubscribePolicy
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.settings import number_hash_of
from retail_core.kernel.settings import Env

NONE: Final = "none"


@attrs.frozen
class FrontEnd:
    """Where the web client has its own pages; None where it has none and ours are shown."""

    unsubscribe_url: str | None
    resubscribe_url: str | None

    def page(self, code: str, *, is_confirmation: bool) -> str | None:
        """The address of its page for a link."""
        template = self.resubscribe_url if is_confirmation else self.unsubscribe_url
        if template is None:
            return None
        quoted = quote(code, safe="")
        return template.replace("{code}", quoted).replace("{token}", quoted)


@attrs.frozen
class Queue:
    """Whether there is a queue that will ever take up what is stored for later."""

    is_on: bool


@attrs.frozen
class ImportUndo:
    """For how long an import can be taken back."""

    days: int


@attrs.frozen
class ContactSettings:
    """Settings of the area of contacts."""

    front_end: FrontEnd
    resubscribing: ResubscribePolicy
    number_hash: NumberHash
    proof_keys: ProofKeys
    queue: Queue
    undo: ImportUndo

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables; problems are collected by `env`."""
        return cls(
            front_end=_front_end(env),
            resubscribing=env.choice(
                "RESUBSCRIBE_POLICY", ResubscribePolicy, default=ResubscribePolicy.ALLOW
            ),
            number_hash=number_hash_of(env),
            proof_keys=ProofKeys.read(env),
            queue=Queue(not env.flag("QUEUE_DISABLED", default=False)),
            undo=ImportUndo(env.integer("IMPORT_UNDO_DAYS", default=30, minimum=0, maximum=3650)),
        )


def _front_end(env: Env) -> FrontEnd:
    base = env.url("FRONTEND_URL", development="", words=(NONE,)).rstrip("/")
    has_pages = base not in ("", NONE)
    unsubscribe = env.text("FRONTEND_UNSUBSCRIBE_URL", default="")
    if has_pages:
        unsubscribe = unsubscribe or f"{base}/unsubscribe?pt={{code}}"
    return FrontEnd(
        unsubscribe_url=unsubscribe or None,
        resubscribe_url=f"{base}/resubscribe?pt={{code}}" if has_pages else None,
    )
