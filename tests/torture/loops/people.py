"""What owners and their customers do to contacts while everything around them dies, by the API.

All of it is done as from outside, and counts as done from the moment when a 2xx was received.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import attrs

from retail_core.kernel.ids import AccountId
from tests.torture.loops.client import Client, Reply, Unanswered
from tests.torture.loops.departures import Departures, How, moment
from tests.torture.loops.inbox import Inbox, Text
from tests.torture.shops import AWAY, Shops

RECENT: Final = 300
"""Of so many texts one is answered: most people answer what has just come."""
ERASE_TRIES: Final = 20
FOREIGN_STOPS: Final = 0.15
"""A share of the STOPs is by the few whose number gateways write in more than one way."""
CARRIER: Final = "198.51.100.7"
"""The one address that all people have: mobile carriers share theirs."""
STOP_WORDS: Final = ("STOP", "stop", "ΣΤΟΠ", "Stop please", "ΔΙΑΓΡΑΦΗ")
ARGENTINE: Final = "549"
GREEK: Final = "30"

_ANYBODY: Final = """
SELECT phone FROM contact WHERE account_id = %s ORDER BY random() LIMIT 1
"""
_ID: Final = "SELECT id FROM contact WHERE account_id = %s AND phone = %s"
_BARRED: Final = """
SELECT account_id, phone FROM suppression WHERE reason IN ('stop', 'erasure') AND phone = ANY(%s)
"""


@attrs.frozen
class Stop:
    """A text of somebody who wants out of all stores that wrote to them; it was answered 202."""

    phone: int
    sender: str
    stores: set[int] = attrs.field(factory=set)
    """Where it is still to have an effect."""


@attrs.define
class People:
    """One thread of them. All chance is in `dice`."""

    shops: Shops
    client: Client
    inbox: Inbox
    departures: Departures
    dice: random.Random
    keys: Mapping[AccountId, str]
    secret: str
    done: Counter[str] = attrs.field(init=False, factory=Counter)
    stops: list[Stop] = attrs.field(init=False, factory=list)
    refused: list[str] = attrs.field(init=False, factory=list)
    """People whose own link did not let them out."""

    def act(self, is_over: Callable[[], bool]) -> None:
        """Until somebody says that it is over."""
        acts = {
            self.press: 6,
            self.text_stop: 4,
            self.erase_somebody: 4,
            self.delete_somebody: 3,
            self.change_a_number: 3,
            self.add_again: 3,
        }
        while not is_over():
            time.sleep(self.dice.uniform(0, 0.1))
            chosen = self.dice.choices(list(acts), list(acts.values()))[0]
            try:
                chosen()
                self.look_for_stops()
            except (*AWAY, Unanswered):
                time.sleep(0.1)

    # people

    def press(self) -> None:
        """Somebody presses the button behind the link of a text."""
        text = self._some_text()
        if text is not None:
            with self.departures.hold(text.account, text.phone) as is_free:
                if is_free:
                    self.press_of(text)

    def press_of(self, text: Text) -> None:
        """The same, of this text; by the form of our page, or as the web client does it."""
        headers = {"X-Forwarded-For": CARRIER}
        if self.dice.random() < 0.5:
            path = f"/u/{text.code}"
            reply = self.client.ask("POST", path, headers=headers, data={"action": "unsubscribe"})
        else:
            path = "/api/contacts/unsubscribe"
            reply = self.client.ask("POST", path, headers=headers, json={"pageToken": text.code})
        if reply.is_done:
            self.departures.note(text.account, text.phone, How.LINK)
            self.done["opt-outs by link"] += 1
        elif reply.status != HTTPStatus.NOT_FOUND:  # the page of who is not there any more
            self.refused.append(f"{text.mark} {text.phone} was answered {reply.status}")

    def text_stop(self) -> None:
        """Somebody answers a text with STOP."""
        foreign = [each for each in self.inbox.read() if str(each.phone).startswith(ARGENTINE)]
        is_foreign = foreign and self.dice.random() < FOREIGN_STOPS
        text = self.dice.choice(foreign) if is_foreign else self._some_text()
        if text is not None:
            self.stop(text.phone)

    def stop(self, phone: int) -> None:
        """This one wants out of all that wrote to them."""
        stores = {each.account for each in self.inbox.read() if each.phone == phone}
        sender = self.dice.choice(forms_of(phone))
        said = {
            "from": sender,
            "text": self.dice.choice(STOP_WORDS),
            "messageId": f"in-{self.dice.getrandbits(60):x}",
        }
        headers = {"X-Webhook-Token": self.secret}
        reply = self.client.ask("POST", "/webhooks/mitto/inbound", headers=headers, json=said)
        assert reply.is_done, f"the gateway was answered {reply.status}"
        self.departures.texted_at[phone] = moment()
        self.stops.append(Stop(phone, sender, stores))
        self.done["opt-outs by text"] += 1

    def look_for_stops(self) -> None:
        """A STOP is confirmed when its effect is seen: that it was stored is no effect yet."""
        waiting = [each for each in self.stops if each.stores]
        if not waiting:
            return
        found = set(self.shops.query(_BARRED, [each.phone for each in waiting]))
        since = moment()
        for stop in waiting:
            for account in list(stop.stores):
                if (account, stop.phone) in found:
                    self.departures.note(account, stop.phone, How.STOP, since)
                elif not self.departures.is_gone(account, stop.phone, How.ERASED):
                    continue  # who is erased is barred by a hash, whose number is not kept again
                stop.stores.discard(account)

    # owners

    def erase_somebody(self) -> None:
        """Somebody asked for it, perhaps after a text."""
        account, phone = self._somebody()
        with self.departures.hold(account, phone) as is_free:
            if is_free:
                self.erase(account, phone)

    def erase(self, account: int, phone: int) -> None:
        """Again for a while as long as a message to them is being submitted."""
        contact = self._contact(account, phone)
        if contact is None:
            return
        path = f"/api/contacts/{contact}/erase"
        for _ in range(ERASE_TRIES):
            reply = self.as_owner(account, "POST", path, json={"reason": "asked to"})
            if reply.is_done:
                self.departures.note(account, phone, How.ERASED)
                self.done["erasures"] += 1
            if reply.status != HTTPStatus.CONFLICT:
                return
            time.sleep(self.dice.uniform(0.05, 0.3))

    def delete_somebody(self) -> None:
        """An owner deletes a contact; some of these then press the link of an old text."""
        account, phone = self._somebody()
        with self.departures.hold(account, phone) as is_free:
            contact = self._contact(account, phone)
            if not is_free or contact is None:
                return
            reply = self.as_owner(account, "DELETE", f"/api/contacts/{contact}")
            if not reply.is_done and reply.status != HTTPStatus.NOT_FOUND:
                return
            self.departures.note(account, phone, How.DELETED)
            self.done["deletions"] += 1
            self.leave_by_an_old_text(account, phone)
            if self.dice.random() < 0.5:
                self._add(account, phone)

    def change_a_number(self) -> None:
        """An owner corrects a number; whose it was may then press the link of an old text."""
        account, phone = self._somebody()
        with self.departures.hold(account, phone) as is_free:
            contact = self._contact(account, phone)
            if not is_free or contact is None or self.departures.is_gone(account, phone, *How):
                return
            new = self.shops.fresh_number(account)
            changes = {"phone": f"+{new}", "firstName": f"N{new}"}
            reply = self.as_owner(account, "PUT", f"/api/contacts/{contact}", json=changes)
            if not reply.is_done:
                return
            self.departures.note(account, phone, How.MOVED)
            self.done["number changes"] += 1
            self.leave_by_an_old_text(account, phone)
            if self.dice.random() < 0.5:
                self._add(account, phone)

    def add_again(self) -> None:
        """An owner adds a number that was there before."""
        account = self._store()
        gone = self.departures.gone(account)
        if gone:
            phone = self.dice.choice(gone)
            with self.departures.hold(account, phone) as is_free:
                if is_free:
                    self._add(account, phone)

    def _add(self, account: int, phone: int) -> None:
        self.departures.add_again(account, phone)
        contact = {"phone": f"+{phone}", "firstName": f"R{phone}", "isSubscribed": True}
        reply = self.as_owner(account, "POST", "/api/contacts", json=contact)
        self.done["contacts added again"] += reply.is_done

    def leave_by_an_old_text(self, account: int, phone: int) -> None:
        """Whoever got a text may press its link, or answer it with STOP."""
        texts = [
            each for each in self.inbox.read() if (each.account, each.phone) == (account, phone)
        ]
        if texts and self.dice.random() < 0.7:
            if self.dice.random() < 0.7:
                self.press_of(self.dice.choice(texts))
            else:
                self.stop(phone)

    def as_owner(self, account: int, method: str, path: str, **content: Any) -> Reply:
        """A request of this store's own program."""
        headers = {"Authorization": f"Bearer {self.keys[AccountId(account)]}"}
        headers["X-Forwarded-For"] = f"10.{self.dice.randrange(256)}.{self.dice.randrange(256)}.1"
        return self.client.ask(method, path, headers=headers, **content)

    def _store(self) -> int:
        return self.dice.choice(list(self.keys))

    def _some_text(self) -> Text | None:
        texts = [each for each in self.inbox.read()[-RECENT:] if each.account in self.keys]
        return self.dice.choice(texts) if texts else None

    def _somebody(self) -> tuple[int, int]:
        """Store and number: of anybody, or of somebody who has just got a text."""
        text = self._some_text() if self.dice.random() < 0.5 else None
        if text is not None:
            return text.account, text.phone
        account = self._store()
        found = self.shops.query(_ANYBODY, account)
        return account, found[0][0] if found else 0

    def _contact(self, account: int, phone: int) -> int | None:
        """The id of the contact with this number, while nobody else is at them."""
        found = self.shops.query(_ID, account, phone)
        return found[0][0] if found else None


def forms_of(phone: int) -> Sequence[str]:
    """The ways in which a gateway may write the number of who sent a text."""
    digits = str(phone)
    forms = [f"+{digits}", f"00{digits}", digits]
    if digits.startswith(ARGENTINE):
        forms.append("54" + digits.removeprefix(ARGENTINE))
    if digits.startswith(GREEK):
        forms.append(digits.removeprefix(GREEK))
    return forms
