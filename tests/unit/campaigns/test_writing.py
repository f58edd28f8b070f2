"""Writing a campaign: a fresh count each time, and only as long as it has not started."""

import attrs
import pytest

from retail_core.audiences.model import AgeGroup, AudienceSpec
from retail_core.campaigns.errors import CampaignNotFound, WrongCampaignState
from retail_core.campaigns.model import CampaignContent, CampaignState
from retail_core.campaigns.use_cases import (
    CampaignChanges,
    CreateCampaign,
    EditCampaign,
    PreviewAudience,
)
from retail_core.contacts.model import Gender
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.idempotency import AlreadyDone, Once
from tests.contracts.staging import people, policy, shop, started, written
from tests.contracts.worlds import World, memory_world

WOMEN = AudienceSpec(gender=Gender.FEMALE)


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def create(world: World) -> CreateCampaign:
    return CreateCampaign(world.transactions, world.audience_queries, world.clock, policy())


@pytest.fixture
def edit(world: World) -> EditCampaign:
    return EditCampaign(world.transactions, world.audience_queries, world.clock, policy())


def test_a_new_campaign_is_a_draft_with_its_audience_counted(
    world: World, create: CreateCampaign
) -> None:
    account = shop(world)
    people(world, account, 2, gender=Gender.FEMALE)
    people(world, account, 1)

    campaign = create(account, CampaignContent("Sale", "Hello", WOMEN))

    assert (campaign.state, campaign.total) == (CampaignState.DRAFT, 2)
    assert world.campaign_queries.get(account, campaign.id) == campaign


def test_a_repeat_makes_no_second_campaign(world: World, create: CreateCampaign) -> None:
    account = shop(world)
    once = Once(account, "key", b"request")
    campaign = create(account, CampaignContent("Sale", "Hello"), once)

    with pytest.raises(AlreadyDone) as repeat:
        create(account, CampaignContent("Sale", "Hello"), once)

    assert repeat.value.effect == campaign.id


def test_an_edit_changes_only_what_it_names_and_counts_again(
    world: World, edit: EditCampaign
) -> None:
    account = shop(world)
    campaign = written(world, account, "Hello", WOMEN)
    people(world, account, 3)

    edited = edit(account, campaign.id, CampaignChanges(name="New", gender=None))

    assert edited.total == 3
    assert edited.content == attrs.evolve(campaign.content, name="New", audience=AudienceSpec())


def test_every_part_of_a_campaign_can_be_edited(world: World, edit: EditCampaign) -> None:
    account = shop(world)
    campaign = written(world, account)
    changes = CampaignChanges(
        message_text="Bye", include_offer=True, system_list="all", age_group=AgeGroup.FROM_40
    )

    edited = edit(account, campaign.id, changes)

    audience = AudienceSpec("all", None, AgeGroup.FROM_40)
    assert edited.content == CampaignContent("Sale", "Bye", audience, include_offer=True)


def test_a_started_campaign_cannot_be_edited(world: World, edit: EditCampaign) -> None:
    account = shop(world)
    people(world, account, 1)
    campaign = started(world, account)

    with pytest.raises(WrongCampaignState):
        edit(account, campaign.id, CampaignChanges(name="New"))

    assert world.campaign_queries.get(account, campaign.id) == campaign


def test_another_stores_campaign_cannot_be_edited(world: World, edit: EditCampaign) -> None:
    campaign = written(world, shop(world))

    with pytest.raises(CampaignNotFound):
        edit(shop(world), campaign.id, CampaignChanges(name="New"))


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("", "Hello", "name"),
        ("x" * 201, "Hello", "name"),
        ("Sale", "", "messageText"),
        ("Sale", "x" * 2_001, "messageText"),
        ("Sale", "{{nickname}}", "messageText"),
    ],
)
def test_what_no_campaign_may_say_is_refused_by_field(name: str, text: str, field: str) -> None:
    with pytest.raises(InvalidField) as creation:
        CampaignContent.checked(name, text, AudienceSpec(), include_offer=True)
    with pytest.raises(InvalidField) as edition:
        CampaignChanges(name=name, message_text=text)

    faults = [each.value.fields[0].path for each in (creation, edition)]
    assert faults == [field, field]


def test_an_audience_is_previewed_without_a_campaign(world: World) -> None:
    account = shop(world)
    people(world, account, 11, gender=Gender.FEMALE, first_name="Άννα")
    people(world, account, 1)
    preview = PreviewAudience(world.transactions, world.audience_queries, world.clock, policy())

    assert [len(members) for members in [preview(account, WOMEN, None)[1]]] == [10]
    assert preview(account, WOMEN, "αννα")[0] == 11
    assert preview(account, AudienceSpec(), "nobody") == (0, [])
