import base64

import pytest

from adapters_http.security.proof_keys import ProofKeys, ProofSigner, canonical
from retail_core.kernel.settings import Env, SettingsError

SEED = bytes(range(224, 256))
SECRET = {"APP_ENV": "test", "UNSUBSCRIBE_TOKEN_SECRET": "a secret that signs links"}


def read(**variables: str) -> ProofKeys:
    env = Env(SECRET | variables)
    keys = ProofKeys.read(env)
    env.finish()
    return keys


def signer(keys: ProofKeys) -> ProofSigner:
    return ProofSigner(keys)


@pytest.mark.parametrize(
    "text",
    [
        SEED.hex(),
        SEED.hex().upper(),
        base64.b64encode(SEED).decode(),
        base64.urlsafe_b64encode(SEED).rstrip(b"=").decode(),
    ],
)
def test_a_seed_is_read_in_every_usual_spelling(text: str) -> None:
    assert read(CONSENT_PROOF_KEY=text) == ProofKeys(SEED)


@pytest.mark.parametrize("text", ["short", "ff" * 31, "zz" * 32, "A" * 44, "Ω" * 43])
@pytest.mark.parametrize("name", ["CONSENT_PROOF_KEY", "CONSENT_PROOF_PREVIOUS_KEYS"])
def test_what_is_no_key_stops_the_start_and_is_not_told(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as failed:
        read(**{name: text})

    assert str(failed.value).count(name) == 1
    assert text not in str(failed.value)


def test_without_a_key_of_its_own_a_deployment_has_one_all_the_same() -> None:
    first, second = read(), read(UNSUBSCRIBE_TOKEN_SECRET="another")

    assert first == read()
    assert first.seed != second.seed
    assert first.seed.hex() not in repr(first)


def test_keys_that_were_in_use_before_are_still_shown() -> None:
    old = signer(ProofKeys(bytes(32)))
    [before] = old.public_keys()

    new = signer(read(CONSENT_PROOF_KEY=SEED.hex(), CONSENT_PROOF_PREVIOUS_KEYS=before["x"]))

    shown = new.public_keys()
    assert shown[1] == before
    assert [each["kid"] for each in shown] == [new.key_id, old.key_id]
    assert "seed" not in repr(new)


def test_the_canonical_form_is_the_one_of_its_standard() -> None:
    written = canonical({"b": [1, None, True], "a": "\u20ac$\u000f\nA'\u0042\"\\/\u2028"})

    assert written == '{"a":"€$\\u000f\\nA\'B\\"\\\\/\u2028","b":[1,null,true]}'.encode()
