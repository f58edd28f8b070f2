"""What every room may rely on from the audit log, and the operator who reads it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from retail_core.kernel.audit import (
    Agent,
    AgentKind,
    AuditAction,
    AuditEntry,
    AuditFilter,
    AuditKind,
    AuditRecord,
    acting,
)
from retail_core.kernel.ids import AccountId, ApiKeyId, SessionId
from tests.contracts.worlds import World

USER = Agent(
    AgentKind.USER,
    account=AccountId(7),
    session=SessionId(8),
    api_key=ApiKeyId(9),
    request_id="r-1",
    address="203.0.113.7",
)
MANY = 100


def granted(account: AccountId | None, credits: int = 5) -> AuditEntry:
    return AuditEntry(
        action=AuditAction.CREDITS_GRANTED,
        account=account,
        kind=AuditKind.ACCOUNT,
        id=account,
        details={"credits": credits, "by_hand": True, "how": AuditAction.EXPORTED},
    )


def record(world: World, *entries: AuditEntry) -> None:
    for entry in entries:
        assert entry.account is not None
        with world.transactions.begin(entry.account) as uow:
            uow.audit.record(entry)


def written(world: World, account: AccountId) -> Sequence[AuditRecord]:
    return world.audit_trail.newest_across_accounts(AuditFilter(account=account), MANY)


class AuditLogContract:
    def test_a_deed_is_written_down_with_who_did_it_and_by_which_request(
        self, world: World
    ) -> None:
        account = world.new_account()

        with acting(USER):
            record(world, granted(account))

        [found] = written(world, account)
        assert (found.agent, found.account, found.id) == (USER, account, account)
        assert (found.action, found.kind) == (AuditAction.CREDITS_GRANTED, AuditKind.ACCOUNT)
        assert found.details == {"credits": 5, "by_hand": True, "how": "exported"}
        assert found.at.tzinfo is not None

    def test_where_nobody_is_bound_the_system_acted(self, world: World) -> None:
        account = world.new_account()

        record(world, granted(account))

        assert written(world, account)[0].agent == Agent()

    def test_what_is_rolled_back_was_not_done(self, world: World) -> None:
        account = world.new_account()

        def fail() -> None:
            with world.transactions.begin(account) as uow:
                uow.audit.record(granted(account))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()

        assert written(world, account) == []

    def test_a_deed_of_no_shop_is_written_by_work_across_accounts(self, world: World) -> None:
        refused = AuditEntry(
            action=AuditAction.SIGN_IN_REFUSED, account=None, kind=AuditKind.ACCOUNT
        )
        unknown = AuditFilter(action=AuditAction.SIGN_IN_REFUSED)

        with world.transactions.across_accounts() as uow:
            uow.audit.record(refused)

        [newest] = world.audit_trail.newest_across_accounts(unknown, 1)
        assert (newest.account, newest.id) == (None, None)

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()

        for account in (theirs, None):
            with pytest.raises(Exception), world.transactions.begin(mine) as uow:  # noqa: B017, PT011 - each world's own
                uow.audit.record(granted(account))

        assert written(world, theirs) == []


class AuditTrailContract:
    def test_the_newest_deeds_come_first_and_no_more_than_asked_for(self, world: World) -> None:
        account = world.new_account()
        record(world, *(granted(account, credits) for credits in range(4)))

        found = world.audit_trail.newest_across_accounts(AuditFilter(account=account), 3)

        assert [each.details["credits"] for each in found] == [3, 2, 1]

    def test_deeds_are_found_by_what_was_done(self, world: World) -> None:
        account = world.new_account()
        record(world, granted(account))

        for action in (AuditAction.CREDITS_GRANTED, AuditAction.EXPORTED):
            which = AuditFilter(account=account, action=action)
            found = world.audit_trail.newest_across_accounts(which, MANY)
            assert [each.action for each in found] == [action][: len(found)]
            assert bool(found) == (action is AuditAction.CREDITS_GRANTED)

    def test_deeds_are_found_from_a_moment_on(self, world: World) -> None:
        account = world.new_account()
        record(world, granted(account))
        [only] = written(world, account)

        def since(after: timedelta) -> int:
            which = AuditFilter(account=account, since=only.at + after)
            return len(world.audit_trail.newest_across_accounts(which, MANY))

        assert since(timedelta()) == 1
        assert since(timedelta(microseconds=1)) == 0

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        record(world, granted(theirs))

        assert written(world, mine) == []
