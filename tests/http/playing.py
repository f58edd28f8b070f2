"""Plays through the description against the app, and tells what does not fit."""

import os
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.transport import Response
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.transport.wsgi import WSGI_TRANSPORT, WSGITransport

from tests.http.api import WEBHOOK_SECRET, Api, Shop

SEED: Final = int(os.environ.get("FUZZ_SEED") or 4)
ENDS_THE_SESSION: Final[Mapping[str, Any]] = {
    "method": "DELETE",
    "path": "/api/auth/sessions/{sessionId}",
}
"""Links lead to the own session, too: after that nothing would be played any more."""
Phases = Mapping[str, Mapping[str, Any]]
ONE_BY_ONE: Final[Phases] = {"stateful": {"enabled": False}}
SHORTLY: Final[Phases] = {
    **ONE_BY_ONE,
    "coverage": {"generation": {"mode": "positive"}, "unexpected-methods": ["patch"]},
}
"""Leaves the thousands of wrong values of this phase to a longer play."""
LINKS: Final[Phases] = {name: {"enabled": False} for name in ("examples", "coverage", "fuzzing")}
"""Walks that begin with what was made and go wherever its id leads."""
REFUSED: Final = [
    "2xx",
    "3xx",
    "400",
    "401",
    "402",
    "403",
    "404",
    "409",
    "410",
    "413",
    "415",
    "429",
]
"""What may become of data that fit the schema: the rules of the core see more than a schema can
say (whether a number exists, whether a campaign may start), and each of these is documented."""


class _InProcess(WSGITransport):
    """Leaves out what only a call over the network understands."""

    def send(self, case: Any, *, session: Any = None, **kwargs: Any) -> Response:
        for name in ("max_redirects", "verify", "cert", "proxies"):
            kwargs.pop(name, None)
        return super().send(case, session=session, **kwargs)


@attrs.frozen
class Played:
    """How many calls there were, by phase and by status, and what was wrong with any."""

    phases: Counter[str] = attrs.field(factory=Counter)
    statuses: Counter[int] = attrs.field(factory=Counter)
    checks: Counter[str] = attrs.field(factory=Counter)
    operations: set[str] = attrs.field(factory=set)
    faults: dict[str, str] = attrs.field(factory=dict)

    @property
    def calls(self) -> int:
        return self.phases.total()

    def summary(self) -> str:
        """The figures."""
        return "\n".join(
            f"{name}: {dict(sorted(counter.items()))}"
            for name, counter in (
                ("calls", Counter(total=self.calls, operations=len(self.operations))),
                ("by phase", self.phases),
                ("by status", Counter({str(key): count for key, count in self.statuses.items()})),
                ("checks", self.checks),
            )
        )

    def add(self, phase: str, recorder: ScenarioRecorder) -> None:
        """Take in one scenario."""
        for number, interaction in recorder.interactions.items():
            self.phases[phase] += 1
            self.operations.add(recorder.cases[number].value.operation.label)
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
        for number, checks in recorder.checks.items():
            for check in checks:
                self.checks[check.name] += 1
                if check.status is Status.FAILURE:
                    self._add_fault(recorder, number, check)

    def _add_fault(self, recorder: ScenarioRecorder, number: str, check: Any) -> None:
        case = recorder.cases[number].value
        failure = check.failure_info.failure
        told = f"{failure.title}: {failure.message}"
        response = recorder.interactions[number].response
        answer = "" if response is None else f"\n{response.status_code} {response.content[:300]!r}"
        name = f"{case.operation.label} {check.name} {failure.title}"
        self.faults.setdefault(name, f"{told}\n{check.failure_info.code_sample}{answer}")


def filter_failure(context: object, failure: object, case: object, response: Response) -> bool:
    """What is no failure of ours: an empty value in an address counts as absent."""
    del context, case
    query = urlsplit(response.request.url or "").query
    is_empty = "" in (value for _, value in parse_qsl(query, keep_blank_values=True))
    return not (isinstance(failure, AcceptedNegativeData) and is_empty)


def play(api: Api, shop: Shop, examples: int, phases: Phases, played: Played, **which: Any) -> None:
    """So many examples of each operation, or so many walks along the links."""
    config = SchemathesisConfig.from_dict(_settings(shop.token, examples, phases))
    schema = schemathesis.openapi.from_dict(api.get("/openapi.json").json, config=config)
    schema.app = api.app
    schema.hook(filter_failure)
    chosen = schema.include(**which) if which else schema.exclude(**ENDS_THE_SESSION)
    transport = _InProcess()
    transport._copy_serializers_from(WSGI_TRANSPORT)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr("schemathesis.transport.wsgi.WSGI_TRANSPORT", transport)
        warnings.simplefilter("ignore")  # of the player's own; what the app warns of is in its log
        for event in from_schema(chosen).execute():
            match event:
                case events.ScenarioFinished():
                    played.add(event.phase.value, event.recorder)
                case events.NonFatalError() | events.FatalError():
                    told = getattr(event, "value", None) or getattr(event, "exception", None)
                    played.faults[f"{getattr(event, 'label', '')} {told!r}"[:200]] = str(told)
                case _:
                    pass


def _settings(token: str, examples: int, phases: Phases) -> dict[str, Any]:
    return {
        "seed": SEED,
        "continue-on-failure": True,
        "suppress-health-check": ["all"],  # of the generator: it may throw much away
        "checks": {"positive_data_acceptance": {"expected-statuses": REFUSED}},
        "generation": {
            "max-examples": examples,
            "deterministic": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "phases": phases,
        "auth": {
            "openapi": {
                "accessToken": {"bearer": token},
                "gatewaySecret": {"api_key": WEBHOOK_SECRET},
            }
        },
    }
