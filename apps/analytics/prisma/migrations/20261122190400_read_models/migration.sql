CREATE TABLE "order_minute" (
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "currency" TEXT NOT NULL,
    "placed" INTEGER NOT NULL CHECK ("placed" >= 0),
    "confirmed" INTEGER NOT NULL CHECK ("confirmed" >= 0),
    "completed" INTEGER NOT NULL CHECK ("completed" >= 0),
    "cancelled" INTEGER NOT NULL CHECK ("cancelled" >= 0),
    "revenue_minor" BIGINT NOT NULL CHECK ("revenue_minor" >= 0),

    CONSTRAINT "order_minute_pkey" PRIMARY KEY ("minute", "currency")
);

CREATE TABLE "tally" (
    "subject" TEXT NOT NULL,
    "item" TEXT NOT NULL,
    "times" BIGINT NOT NULL CHECK ("times" > 0),

    CONSTRAINT "tally_pkey" PRIMARY KEY ("subject", "item")
);

CREATE TABLE "product_sale" (
    "sku" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "named_at" TIMESTAMPTZ(3) NOT NULL,
    "units" BIGINT NOT NULL CHECK ("units" > 0),
    "revenue_minor" BIGINT NOT NULL CHECK ("revenue_minor" >= 0),

    CONSTRAINT "product_sale_pkey" PRIMARY KEY ("sku", "currency")
);

CREATE TABLE "stock_out" (
    "sku" TEXT NOT NULL,
    "times" BIGINT NOT NULL CHECK ("times" > 0),
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stock_out_pkey" PRIMARY KEY ("sku")
);

CREATE TABLE "latency_bucket" (
    "step" TEXT NOT NULL,
    "bucket" INTEGER NOT NULL CHECK ("bucket" >= 0),
    "orders" BIGINT NOT NULL CHECK ("orders" > 0),

    CONSTRAINT "latency_bucket_pkey" PRIMARY KEY ("step", "bucket")
);

-- A few rows that every batch updates: room on their pages keeps the updates in place (HOT) instead of growing the table.
ALTER TABLE "tally" SET (fillfactor = 50);
ALTER TABLE "latency_bucket" SET (fillfactor = 50);
ALTER TABLE "order_minute" SET (fillfactor = 70);
