CREATE TABLE "shipment" (
    "order_id" UUID NOT NULL,
    "shipment_id" UUID,
    "status" TEXT NOT NULL,
    "carrier" TEXT,
    "tracking_number" TEXT,
    "refusal_reason" TEXT,
    "lines" JSONB,
    "address" JSONB,
    "report_due_at" TIMESTAMPTZ,
    "correlation_id" TEXT NOT NULL,
    "traceparent" TEXT,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "shipment_pkey" PRIMARY KEY ("order_id"),
    CONSTRAINT "shipment_status_known" CHECK ("status" IN ('arranged', 'refused', 'dispatched', 'delivered', 'cancelled')),
    -- A parcel that a carrier has, has a number to follow it by; a refused one has none.
    CONSTRAINT "shipment_booking_is_complete" CHECK (
        CASE WHEN "shipment_id" IS NULL
            THEN "status" IN ('refused', 'cancelled') AND "carrier" IS NULL AND "tracking_number" IS NULL
            ELSE "status" <> 'refused' AND "carrier" IS NOT NULL AND "tracking_number" IS NOT NULL
        END),
    CONSTRAINT "shipment_parcel_is_known" CHECK (
        ("lines" IS NULL) = ("address" IS NULL) AND ("lines" IS NOT NULL OR "status" = 'cancelled')),
    CONSTRAINT "shipment_reason_when_refused" CHECK (("status" = 'refused') = ("refusal_reason" IS NOT NULL)),
    -- What ended has nothing more to report.
    CONSTRAINT "shipment_report_only_under_way" CHECK ("report_due_at" IS NULL OR "status" IN ('arranged', 'dispatched'))
);

CREATE UNIQUE INDEX "shipment_tracking_number_key" ON "shipment"("tracking_number");

-- Finds what the in-process carrier has to report; holds only parcels that are under way.
CREATE INDEX "shipment_report_due_at" ON "shipment"("report_due_at") WHERE "report_due_at" IS NOT NULL;
