"""Wallets, the ledger behind them, and subscriptions."""

from alembic import op

from migrations.row_security import enable_row_security, make_append_only

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE wallet (
            account_id integer PRIMARY KEY REFERENCES account (id),
            available bigint NOT NULL DEFAULT 0
                CONSTRAINT wallet_available_check CHECK (available >= 0),
            held bigint NOT NULL DEFAULT 0 CONSTRAINT wallet_held_check CHECK (held >= 0),
            debt bigint NOT NULL DEFAULT 0 CONSTRAINT wallet_debt_check CHECK (debt >= 0),
            updated_at timestamptz NOT NULL DEFAULT now()
        ) WITH (fillfactor = 50)
        """
    )
    op.execute("REVOKE DELETE ON wallet FROM retail_bound, retail_sweep")
    enable_row_security("wallet")
    _create_credit_transfer()
    _create_subscription()


def _create_credit_transfer() -> None:
    op.execute(
        """
        CREATE TABLE credit_transfer (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id),
            key text NOT NULL,
            kind text NOT NULL,
            debit text NOT NULL,
            credit text NOT NULL,
            amount bigint NOT NULL CHECK (amount > 0),
            campaign_id integer,
            message_number bigint,
            reason text CHECK (char_length(reason) <= 200),
            meta jsonb,
            balance_after bigint NOT NULL CHECK (balance_after >= 0),
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (account_id, key),
            CONSTRAINT credit_transfer_sides_check CHECK ((kind, debit, credit) IN (
                ('grant', 'world', 'available'), ('grant', 'world', 'debt'),
                ('hold', 'available', 'held'),
                ('capture', 'held', 'spent'),
                ('release', 'held', 'available'),
                ('refund', 'available', 'world'), ('refund', 'debt', 'world'),
                ('money_back', 'spent', 'available'), ('money_back', 'spent', 'debt'),
                ('adjustment', 'world', 'available'), ('adjustment', 'world', 'debt'),
                ('adjustment', 'available', 'world')
            ))
        )
        """
    )
    # What a shop is shown: holds and releases leave the balance as it was.
    op.execute(
        """
        CREATE INDEX credit_transfer_shown_idx ON credit_transfer (account_id, id)
        WHERE (debit IN ('available', 'held')) <> (credit IN ('available', 'held'))
        """
    )
    enable_row_security("credit_transfer")
    make_append_only("credit_transfer")


def _create_subscription() -> None:
    op.execute(
        """
        CREATE TABLE subscription (
            account_id integer PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            plan_type text CHECK (plan_type IN ('starter', 'pro')),
            status text NOT NULL CHECK (status IN ('active', 'inactive', 'cancelled')),
            stripe_customer_id text UNIQUE,
            stripe_subscription_id text UNIQUE,
            interval text CHECK (interval IN ('month', 'year')),
            current_period_start timestamptz,
            current_period_end timestamptz,
            cancel_at_period_end boolean NOT NULL DEFAULT false,
            last_free_credits_allocated_at timestamptz,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CHECK (status <> 'active' OR plan_type IS NOT NULL)
        )
        """
    )
    enable_row_security("subscription")


def downgrade() -> None:
    for table in ("subscription", "credit_transfer", "wallet"):
        op.execute(f"DROP TABLE {table}")
