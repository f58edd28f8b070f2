"""Exchanging the secret that signs access tokens, without signing anybody out."""

from tests.contracts.worlds import World, memory_world
from tests.http.api import Api, Shop, api_in_memory, cookie_of, error_of

OLD, NEW = "the old secret, which is long enough", "the new secret, which is long enough"


def restarted(world: World, **variables: str) -> Api:
    return api_in_memory(world, **variables)


def test_a_session_lives_through_an_exchange_of_secrets() -> None:
    world = memory_world()
    before = restarted(world, JWT_SECRET=OLD)
    shop = before.sign_up()

    during = restarted(world, JWT_SECRET=NEW, JWT_SECRET_PREVIOUS=OLD)
    assert during.get("/api/me", token=shop.token).status_code == 200
    reply = during.post("/api/auth/refresh", {}, cookie=shop.cookie)
    renewed = Shop(during, shop.id, shop.email, reply.json["accessToken"], cookie_of(reply))

    after = restarted(world, JWT_SECRET=NEW)
    assert after.get("/api/me", token=renewed.token).status_code == 200
    assert error_of(after.get("/api/me", token=shop.token)) == (401, "UNAUTHORIZED")
    assert error_of(before.get("/api/me", token=renewed.token)) == (401, "UNAUTHORIZED")
    assert after.post("/api/auth/refresh", {}, cookie=renewed.cookie).status_code == 200
