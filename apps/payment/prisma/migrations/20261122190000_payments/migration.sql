CREATE TABLE "payment" (
    "order_id" UUID NOT NULL,
    "payment_id" UUID,
    "status" TEXT NOT NULL,
    "provider_reference" TEXT,
    "authorized_minor" BIGINT NOT NULL DEFAULT 0,
    "captured_minor" BIGINT NOT NULL DEFAULT 0,
    "refunded_minor" BIGINT NOT NULL DEFAULT 0,
    "currency" TEXT,
    "decline_reason" TEXT,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payment_pkey" PRIMARY KEY ("order_id"),
    CONSTRAINT "payment_status_known" CHECK ("status" IN ('authorized', 'declined', 'captured', 'voided', 'refunded')),
    -- Never take more than is held, never give back more than was taken.
    CONSTRAINT "payment_captured_at_most_authorized" CHECK ("captured_minor" BETWEEN 0 AND "authorized_minor"),
    CONSTRAINT "payment_refunded_at_most_captured" CHECK ("refunded_minor" BETWEEN 0 AND "captured_minor"),
    CONSTRAINT "payment_taken_only_when_captured" CHECK ("status" IN ('captured', 'refunded') OR "captured_minor" = 0),
    CONSTRAINT "payment_given_back_only_when_refunded" CHECK ("status" = 'refunded' OR "refunded_minor" = 0),
    -- Money exists only together with the provider's name for it.
    CONSTRAINT "payment_charge_is_complete" CHECK (
        CASE WHEN "payment_id" IS NULL
            THEN "status" IN ('declined', 'voided') AND "provider_reference" IS NULL AND "currency" IS NULL AND "authorized_minor" = 0
            ELSE "status" <> 'declined' AND "provider_reference" IS NOT NULL AND "currency" IS NOT NULL
        END),
    CONSTRAINT "payment_reason_when_declined" CHECK (("status" = 'declined') = ("decline_reason" IS NOT NULL))
);
