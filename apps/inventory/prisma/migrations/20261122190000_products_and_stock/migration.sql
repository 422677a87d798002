CREATE TABLE "product" (
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "price_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "listed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_pkey" PRIMARY KEY ("sku"),
    CONSTRAINT "product_price_is_not_negative" CHECK ("price_minor" >= 0)
);

-- Every order changes the rows of its products twice: with free room in each page, the new row versions stay in the page
-- of the old ones and need no new index entry.
CREATE TABLE "stock" (
    "sku" TEXT NOT NULL,
    "on_hand" INTEGER NOT NULL,
    "reserved" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "stock_pkey" PRIMARY KEY ("sku"),
    CONSTRAINT "stock_on_hand_is_not_negative" CHECK ("on_hand" >= 0),
    CONSTRAINT "stock_reserved_is_not_negative" CHECK ("reserved" >= 0),
    CONSTRAINT "stock_reserved_is_on_hand" CHECK ("reserved" <= "on_hand")
) WITH (fillfactor = 50);

CREATE TABLE "reservation" (
    "order_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "lines" JSONB NOT NULL,
    "missing" JSONB NOT NULL DEFAULT '[]',
    "held_until" TIMESTAMPTZ(3),
    "correlation_id" TEXT NOT NULL,
    "traceparent" TEXT,

    CONSTRAINT "reservation_pkey" PRIMARY KEY ("order_id"),
    CONSTRAINT "reservation_status_is_known"
        CHECK ("status" IN ('held', 'released', 'expired', 'committed', 'rejected')),
    CONSTRAINT "reservation_held_has_an_end" CHECK ("status" <> 'held' OR "held_until" IS NOT NULL)
);

-- Finds the holds that ran out without looking at the orders that are over.
CREATE INDEX "reservation_held_until_idx" ON "reservation" ("held_until") WHERE "status" = 'held';

CREATE TABLE "restock" (
    "idempotency_key" TEXT NOT NULL,
    "sku" TEXT NOT NULL,
    "added" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "restock_pkey" PRIMARY KEY ("idempotency_key"),
    CONSTRAINT "restock_adds_something" CHECK ("added" > 0)
);

ALTER TABLE "stock" ADD CONSTRAINT "stock_sku_fkey"
    FOREIGN KEY ("sku") REFERENCES "product"("sku") ON DELETE RESTRICT ON UPDATE RESTRICT;
