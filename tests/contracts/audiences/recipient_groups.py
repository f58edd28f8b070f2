"""What a forecast may rely on about groups of recipients."""

from collections import Counter

import attrs

from retail_core.audiences.model import AudienceSpec
from retail_core.campaigns.model import RecipientGroup
from retail_core.kernel.addresses.phones import PhoneNumber, country_of
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.templates.rendering import Field
from tests.contracts.people import added, draft
from tests.contracts.staging import people, rules
from tests.contracts.worlds import World


def groups(world: World, account: AccountId, *fields: Field) -> list[RecipientGroup]:
    found = world.recipient_groups.of_audience(
        account, AudienceSpec(), rules(world), frozenset(fields)
    )
    return list(found)


class RecipientGroupsContract:
    def test_recipients_are_grouped_by_country_and_by_the_values_that_the_text_uses(
        self, world: World
    ) -> None:
        account = world.new_account()
        ana, *_ = people(world, account, 2, first_name="Ana", last_name="Lo")
        (french,) = people(world, account, 1, first_name="Ana", country="FR")
        (nameless,) = people(world, account, 1, last_name="Lo")

        found = groups(world, account, Field.FIRST_NAME)

        assert Counter(found) == Counter(
            [
                RecipientGroup("GR", "Ana", None, None, 2, ana.id),
                RecipientGroup("FR", "Ana", None, None, 1, french.id),
                RecipientGroup("GR", None, None, None, 1, nameless.id),
            ]
        )

    def test_american_numbers_can_be_told_apart_by_their_area(self, world: World) -> None:
        account = world.new_account()
        numbers = ("+12125550101", "+12125550102", "+18085550103", "+306984303406")
        added(
            world,
            account,
            *(draft(PhoneNumber(each), country=country_of(PhoneNumber(each))) for each in numbers),
        )

        found = world.recipient_groups.of_audience(
            account, AudienceSpec(), rules(world), frozenset(), by_area=True
        )

        counts = {(each.country, each.area): each.recipients for each in found}
        assert counts == {("US", "1212555"): 2, ("US", "1808555"): 1, ("GR", ""): 1}

    def test_only_recipients_are_in_a_group(self, world: World) -> None:
        account = world.new_account()
        people(world, account, 3)
        people(world, account, 2, is_subscribed=False)

        (group,) = groups(world, account)

        assert attrs.evolve(group, first_contact=ContactId(0)) == RecipientGroup(
            "GR", None, None, None, 3, ContactId(0)
        )

    def test_groups_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        people(world, theirs, 3)

        assert groups(world, mine, Field.EMAIL) == []
