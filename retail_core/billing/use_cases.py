"""What the operator does with subscriptions."""

import attrs

from retail_core.billing.model import Plan, Subscription
from retail_core.billing.ports import BillingUnitOfWork
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class ActivateSubscription:
    """Put a shop on a plan by hand, without a payment; repeating it starts a new period."""

    transactions: Transactions[BillingUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, plan: Plan) -> Subscription:
        with self.transactions.begin(account) as uow:
            subscription = uow.subscriptions.get(account).activated(plan, self.clock.now())
            uow.subscriptions.save(account, subscription)
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.PLAN_ACTIVATED,
                    account=account,
                    kind=AuditKind.ACCOUNT,
                    id=account,
                    details={"plan": plan},
                )
            )
        return subscription
