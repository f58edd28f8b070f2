"""A worker that dies while it applies reports neither loses one nor counts one twice."""

import orjson
import pytest

from adapters_db.messages.reports.inbox import GroupedReportInbox
from retail_core.kernel.process.machine import SystemClock
from retail_core.messages.model import MessageState
from retail_core.messages.use_cases import RecordReports
from tests.torture.matrix.forge import End, Task
from tests.torture.matrix.matrix import Laboratory
from workers.dev.crash_points import CrashAt, CrashPoint

pytestmark = [pytest.mark.servers, pytest.mark.slow]

_STATES = "SELECT DISTINCT state FROM message WHERE campaign_id = %s"
_DELIVERED = "SELECT delivered, total FROM campaign WHERE id = %s"


@pytest.mark.parametrize("point", [point for point in CrashPoint if "reports" in point])
def test_a_crash_while_reports_are_applied_costs_none_of_them(
    laboratory: Laboratory, point: CrashPoint
) -> None:
    planned, forge, shops = laboratory.campaign(), laboratory.forge, laboratory.shops
    with laboratory.gateway(planned) as gateway:
        forge.run(laboratory.order(gateway.base_url, Task.DISPATCH))
        reports = [
            {"messageId": entry.message_id, "deliveryStatus": "Delivered"}
            for entry in gateway.accepted()
        ]
        inbox = GroupedReportInbox(shops.transactions)
        RecordReports(inbox, SystemClock())(orjson.dumps(reports))
        fate = forge.run(laboratory.order(gateway.base_url, Task.RECOVER, at=CrashAt(point)))
        assert fate.end is End.KILLED
        laboratory.recover(planned, gateway.base_url)

    verdict = laboratory.judge(planned)
    assert not verdict.complaints, str(verdict)
    assert shops.query(_STATES, planned.campaign) == [(MessageState.DELIVERED,)]
    ((delivered, total),) = shops.query(_DELIVERED, planned.campaign)
    assert delivered == total
