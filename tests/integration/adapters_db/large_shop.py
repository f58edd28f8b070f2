"""A shop with a large campaign that went out, one that waits, and many single messages."""

from typing import Final

SENT: Final = 7
WAITING: Final = 8
MESSAGES: Final = 60_000
BATCH: Final = 1_000
SINGLES: Final = 20_000
FIRST: Final = 1_000
LAST: Final = FIRST + MESSAGES - 1
WAITING_FIRST: Final = 2_000_000
SINGLES_FIRST: Final = 9_000_000


def stage(messages: int = MESSAGES, singles: int = SINGLES, batch: int = BATCH) -> str:
    """The rows, of which a few are in doubt, refused, left out or not delivered yet."""
    return _campaigns(messages, batch) + _messages(messages) + _singles(singles)


def _campaigns(messages: int, batch: int) -> str:
    return f"""
INSERT INTO campaign (id, account_id, name, message_text, include_offer, created_at, updated_at,
                      state, started_at, first_number, plan, total, queued, sent, delivered,
                      failed, unknown, cancelled)
SELECT {SENT}, 1, 'Sale', 'Hello', false, now(), now(), 'completed', now(), {FIRST},
       '{{"text": "Hello", "sender": "Shop", "store_name": "Shop", "offer_url": "",
          "unsubscribe_url": ""}}'::jsonb,
       {messages}, 0, {messages} / 100, {messages} - {messages} / 100 - 3 * ({messages} / 1000),
       {messages} / 1000, {messages} / 1000, {messages} / 1000
UNION ALL
SELECT {WAITING}, 1, 'Next', 'Hello', false, now(), now(), 'sending', now(), {WAITING_FIRST},
       '{{"text": "Hello", "sender": "Shop", "store_name": "Shop", "offer_url": "",
          "unsubscribe_url": ""}}'::jsonb,
       {messages}, {messages}, 0, 0, 0, 0, 0;
SELECT ensure_message_partition({SENT});
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state, ref,
                        submitted_at)
SELECT {SENT}, no, 1, {batch}, no * {batch}, (no + 1) * {batch} - 1, no, 'settled',
       gen_random_uuid(), now()
FROM generate_series(0, {messages // batch - 1}) no;
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state,
                        seqs, contact_ids, phones, credits_per_part)
SELECT {WAITING}, no, 1, {batch}, no * {batch}, (no + 1) * {batch} - 1, no, 'queued',
       array_agg(seq), array_agg(seq + 1), array_agg(306900000000 + seq),
       array_agg(1::smallint)
FROM generate_series(0, {messages // batch - 1}) no,
     generate_series(no * {batch}, (no + 1) * {batch} - 1) seq
GROUP BY no;
"""


def _messages(messages: int) -> str:
    return f"""
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, state, encoding, parts,
                     credits, provider_id, error_code, failed_at, updated_at)
SELECT {SENT}, seq, 1, seq + 1, 306900000000 + seq,
       CASE seq % 1000 WHEN 0 THEN 2 WHEN 1 THEN 4 WHEN 2 THEN 6
            ELSE CASE WHEN seq % 100 = 50 THEN 3 ELSE 5 END END,
       0, 1, 1, CASE WHEN seq % 1000 > 2 THEN 'id-' || seq END,
       CASE seq % 1000 WHEN 0 THEN 'outcome_unknown' WHEN 2 THEN 'opted_out' END,
       CASE seq % 1000 WHEN 1 THEN now() END, now()
FROM generate_series(0, {messages - 1}) seq;
INSERT INTO message_doubt (campaign_id, seq, account_id, phone, since, credits)
SELECT campaign_id, seq, account_id, phone, now(), 1 FROM message WHERE state = 2;
"""


def _singles(singles: int) -> str:
    return f"""
INSERT INTO single_message (number, account_id, kind, occasion, reason, phone, sender, text,
                            encoding, parts, credits, holds, state, contact_id, created_at,
                            updated_at)
SELECT {SINGLES_FIRST} + no, CASE WHEN no % 50 = 0 THEN 1 ELSE 2 + no % 9 END, 'automation',
       'birthday:' || no, 'automation:birthday',
       306900000000 + no, 'Shop', 'Happy birthday', 0, 1, 1, false, 5, no, now(), now()
FROM generate_series(1, {singles}) no
"""


ACCOUNTS: Final = """
INSERT INTO account (id, email)
SELECT id, 'shop' || id || '@example.com' FROM generate_series(2, 10) id;
"""
STAGE: Final = ACCOUNTS + stage()
