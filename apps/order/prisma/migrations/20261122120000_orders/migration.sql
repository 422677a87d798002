CREATE TABLE "orders" (
    "order_id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "lines" JSONB NOT NULL,
    "total_minor" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "shipping_address" JSONB NOT NULL,
    "contact" JSONB NOT NULL,
    "payment_token" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("order_id"),
    CONSTRAINT "orders_total_is_no_debt" CHECK ("total_minor" >= 0)
);

CREATE INDEX "orders_by_customer" ON "orders"("customer_id", "order_id" DESC);

-- A row grows to three times its size on its way. With half of every page left free, most steps stay in their page and touch
-- no index (HOT updates); leaving less free costs more index writes than it saves disk.
CREATE TABLE "checkouts" (
    "order_id" UUID NOT NULL,
    "stage" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "reason" TEXT,
    "cancellation_asked" BOOLEAN NOT NULL,
    "stock_is_back" BOOLEAN NOT NULL,
    "stock_undo_pending" BOOLEAN NOT NULL,
    "payment_undo_pending" BOOLEAN NOT NULL,
    "carrier" TEXT,
    "tracking_number" TEXT,
    "confirmed_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "deadline" TIMESTAMPTZ(3),
    "wake_at" TIMESTAMPTZ(3),
    "correlation_id" TEXT NOT NULL,
    "traceparent" TEXT,
    "history" TEXT NOT NULL,

    CONSTRAINT "checkouts_pkey" PRIMARY KEY ("order_id"),
    CONSTRAINT "checkouts_status_is_known" CHECK ("status" IN ('placed', 'confirmed', 'dispatched', 'completed', 'cancelling', 'cancelled')),
    CONSTRAINT "checkouts_version_counts_from_one" CHECK ("version" >= 1),
    CONSTRAINT "checkouts_cancellation_has_a_reason" CHECK ("status" NOT IN ('cancelling', 'cancelled') OR "reason" IS NOT NULL),
    CONSTRAINT "checkouts_cancelled_leaves_nothing_in_the_air" CHECK ("status" <> 'cancelled' OR NOT ("stock_undo_pending" OR "payment_undo_pending")),
    CONSTRAINT "checkouts_ended_or_waiting_with_a_deadline" CHECK (
        CASE WHEN "status" IN ('completed', 'cancelled') THEN "ended_at" IS NOT NULL AND "deadline" IS NULL
             ELSE "ended_at" IS NULL AND "deadline" IS NOT NULL END
    ),
    CONSTRAINT "checkouts_wakes_before_its_deadline" CHECK ("deadline" IS NULL OR "wake_at" IS NOT NULL)
) WITH (fillfactor = 50);

CREATE INDEX "checkouts_to_wake" ON "checkouts"("wake_at") WHERE "wake_at" IS NOT NULL;

CREATE TABLE "idempotency_keys" (
    "key" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("key")
);

CREATE INDEX "idempotency_keys_by_age" ON "idempotency_keys" USING BRIN ("created_at");

CREATE TABLE "products" (
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "price_minor" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "version" INTEGER NOT NULL,

    CONSTRAINT "products_pkey" PRIMARY KEY ("sku"),
    CONSTRAINT "products_price_is_no_debt" CHECK ("price_minor" >= 0)
);

CREATE TABLE "order_notifications" (
    "message_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "order_notifications_pkey" PRIMARY KEY ("message_id")
);

CREATE INDEX "order_notifications_by_order" ON "order_notifications"("order_id");
