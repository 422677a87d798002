-- CreateTable
CREATE TABLE "product" (
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "price_minor" INTEGER NOT NULL,

    CONSTRAINT "product_pkey" PRIMARY KEY ("sku")
);

-- CreateTable
CREATE TABLE "orders" (
    "order_id" UUID NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "lines" JSONB NOT NULL,
    "total_minor" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "shipping_address" JSONB NOT NULL,
    "payment_token" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "confirmed_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "orders_pkey" PRIMARY KEY ("order_id")
);

-- CreateTable
CREATE TABLE "order_notification" (
    "order_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "order_notification_pkey" PRIMARY KEY ("order_id","kind")
);

-- CreateTable
CREATE TABLE "stock" (
    "sku" TEXT NOT NULL,
    "on_hand" INTEGER NOT NULL,
    "reserved" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "stock_pkey" PRIMARY KEY ("sku")
);

-- CreateTable
CREATE TABLE "reservation" (
    "order_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "lines" JSONB NOT NULL,

    CONSTRAINT "reservation_pkey" PRIMARY KEY ("order_id")
);

-- CreateTable
CREATE TABLE "payment" (
    "order_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "reference" TEXT,
    "authorized_minor" INTEGER NOT NULL,
    "captured_minor" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "payment_pkey" PRIMARY KEY ("order_id")
);

-- CreateTable
CREATE TABLE "charge" (
    "idempotency_key" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "amount_minor" INTEGER NOT NULL,

    CONSTRAINT "charge_pkey" PRIMARY KEY ("idempotency_key")
);

-- CreateTable
CREATE TABLE "shipment" (
    "order_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "tracking_number" TEXT NOT NULL,
    "lines" JSONB NOT NULL,
    "address" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "shipment_pkey" PRIMARY KEY ("order_id")
);

-- CreateTable
CREATE TABLE "notification" (
    "order_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notification_pkey" PRIMARY KEY ("order_id","kind")
);

-- CreateTable
CREATE TABLE "order_minute" (
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "currency" TEXT NOT NULL,
    "placed" INTEGER NOT NULL DEFAULT 0,
    "confirmed" INTEGER NOT NULL DEFAULT 0,
    "completed" INTEGER NOT NULL DEFAULT 0,
    "cancelled" INTEGER NOT NULL DEFAULT 0,
    "revenue_minor" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "order_minute_pkey" PRIMARY KEY ("minute","currency")
);

-- CreateTable
CREATE TABLE "tally" (
    "type" TEXT NOT NULL,
    "times" BIGINT NOT NULL,

    CONSTRAINT "tally_pkey" PRIMARY KEY ("type")
);

-- CreateIndex
CREATE UNIQUE INDEX "orders_idempotency_key_key" ON "orders"("idempotency_key");

-- CreateIndex
CREATE INDEX "orders_customer_id_order_id_idx" ON "orders"("customer_id", "order_id" DESC);

-- CreateIndex
CREATE INDEX "charge_order_id_idx" ON "charge"("order_id");

-- CreateIndex
CREATE UNIQUE INDEX "shipment_tracking_number_key" ON "shipment"("tracking_number");

-- What must never be, even if the code is wrong.
ALTER TABLE "stock" ADD CONSTRAINT "stock_reserved_at_most_on_hand" CHECK ("reserved" BETWEEN 0 AND "on_hand");
