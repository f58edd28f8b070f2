"""Trying a campaign: its text to a few numbers of the owner's own choice."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import attrs

from retail_core.accounts.model import Account, Locale
from retail_core.campaigns import planning
from retail_core.campaigns.errors import (
    InvalidTestNumbers,
    MessageTooLong,
    SubscriptionRequired,
)
from retail_core.campaigns.model import Campaign
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.contacts.errors import ContactNotFound, ContactSuppressed
from retail_core.credits.jobs import warn_of_low_credits
from retail_core.credits.ledger import must_afford
from retail_core.kernel.addresses.phones import LineType, Phone, country_of, parse_phone
from retail_core.kernel.errors import FieldFault
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.kernel.money import PriceList
from retail_core.kernel.ports import Clock, Transactions
from retail_core.links.codes import LinkCodes
from retail_core.messages.composing import compiled, text_of
from retail_core.messages.jobs import send_singles
from retail_core.messages.model import MessageKind, NewSingle, SendingPlan, single_credits_key

TEST_NUMBERS_MAX: Final = 5
HEAD_START: Final = timedelta(seconds=60)
"""So long the process that was asked has the messages for itself, before any worker takes them."""

SAMPLE_VALUES: Final = {
    Locale.EN: ("Maria", "Papadopoulou", "maria@example.com"),
    Locale.EL: ("Μαρία", "Παπαδοπούλου", "maria@example.com"),
}

MergeValues = tuple[str | None, str | None, str | None]


@attrs.frozen
class PlannedTests:
    """Test messages with consecutive numbers; the first one names them all."""

    first: MessageNumber
    count: int = TEST_NUMBERS_MAX

    @property
    def numbers(self) -> Sequence[MessageNumber]:
        return [MessageNumber(self.first + place) for place in range(self.count)]

    @property
    def occasions(self) -> Sequence[str]:
        """What each of them was planned for."""
        return [f"test:{self.first}:{place}" for place in range(self.count)]


@attrs.frozen
class PlanTestMessages:
    """Plan test messages, with their credits held; sending them is the next step.

    All is checked first: after any error nothing is planned or held. Raises `InvalidTestNumbers`,
    `CampaignNotFound`, `ContactNotFound`, `NoMessageText`, `UnknownPlaceholder`, `NoValidSender`,
    `MessageTooLong`, `ContactSuppressed`, `SubscriptionRequired`, `InsufficientCredits`,
    `NumbersUsedUp`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    clock: Clock
    policy: planning.SendingPolicy
    codes: LinkCodes

    def __call__(
        self,
        account: AccountId,
        campaign_id: CampaignId,
        to: Sequence[str],
        contact: ContactId | None = None,
        once: Once | None = None,
    ) -> PlannedTests:
        """`to`: 1 to `TEST_NUMBERS_MAX` numbers as people write them; equal ones count once."""
        with self.transactions.begin(account, once) as uow:
            uow.contacts.lock_for_adding(account)
            store = uow.accounts.get(account)
            phones = _phones(to, store.default_country, self.policy.prices)
            campaign = uow.campaigns.get(account, campaign_id)
            plan = planning.plan_of(campaign.content, store, self.policy)
            values = _values(uow, store, contact)
            self._must_fit(plan, values)
            _must_not_be_barred(uow, account, phones)
            if not uow.subscriptions.is_active(account):
                raise SubscriptionRequired
            cost = sum(self._credits(plan, values, phone) for phone in phones)
            must_afford(uow.credits.lock(account), cost)
            tests = PlannedTests(uow.numbers.reserve_block(len(phones)), len(phones))
            self._plan(uow, campaign, plan, values, phones, tests)
            uow.effect(tests.first)
        return tests

    def _must_fit(self, plan: SendingPlan, values: MergeValues) -> None:
        parts = compiled(plan).size(*values).parts
        if parts > self.policy.parts_max:
            raise MessageTooLong(parts, self.policy.parts_max)

    def _credits(self, plan: SendingPlan, values: MergeValues, phone: Phone) -> int:
        price = self.policy.prices.credits_per_part(country_of(phone.number)) or 0
        return compiled(plan).size(*values).parts * price

    def _plan(
        self,
        uow: CampaignsUnitOfWork,
        campaign: Campaign,
        plan: SendingPlan,
        values: MergeValues,
        phones: Sequence[Phone],
        tests: PlannedTests,
    ) -> None:
        account, now = campaign.account_id, self.clock.now()
        size, total = compiled(plan).size(*values), 0
        for phone, number, occasion in zip(phones, tests.numbers, tests.occasions, strict=True):
            single = NewSingle(
                number=number,
                kind=MessageKind.TEST,
                occasion=occasion,
                reason="sms:test",
                phone=phone.number,
                sender=plan.sender,
                text=text_of(plan, self.codes, number, *values),
                size=size,
                credits=self._credits(plan, values, phone),
                campaign=campaign.id,
                not_before=now + HEAD_START,
            )
            uow.singles.add(account, single, now)
            total += single.credits
        uow.jobs.add(send_singles(account, tests.first, now + HEAD_START))
        uow.credits.hold(account, f"hold:{single_credits_key(tests.first)}", total, None)
        warn_of_low_credits(uow, account, self.policy.low_credits, now)


def _phones(to: Sequence[str], region: str, prices: PriceList) -> Sequence[Phone]:
    """Raises `InvalidTestNumbers`, naming every one that cannot be sent to."""
    found: dict[str, Phone] = {}
    faults = []
    for place, text in enumerate(to):
        phone = parse_phone(text, region)
        if phone is None:
            faults.append(FieldFault(f"to[{place}]", "is not a valid phone number"))
        elif phone.line_type is LineType.LANDLINE:
            faults.append(FieldFault(f"to[{place}]", "is a landline"))
        elif prices.credits_per_part(country_of(phone.number)) is None:
            faults.append(FieldFault(f"to[{place}]", "is in a country without a price"))
        else:
            found[phone.number] = phone
    if faults:
        raise InvalidTestNumbers(faults)
    return list(found.values())


def _values(uow: CampaignsUnitOfWork, store: Account, contact: ContactId | None) -> MergeValues:
    if contact is None:
        return SAMPLE_VALUES[store.locale]
    known = uow.contacts.lock(store.id, contact)
    if known is None:
        raise ContactNotFound
    return known.first_name, known.last_name, known.email


def _must_not_be_barred(
    uow: CampaignsUnitOfWork, account: AccountId, phones: Sequence[Phone]
) -> None:
    for phone in phones:
        if uow.suppressions.reasons(account, phone.number):
            raise ContactSuppressed(f"{phone.number} is on the suppression list.")
