CREATE TABLE "notification" (
    "order_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "message_id" UUID NOT NULL,
    "recipient" TEXT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT,

    CONSTRAINT "notification_pkey" PRIMARY KEY ("order_id", "kind"),
    CONSTRAINT "notification_kind_is_known"
        CHECK ("kind" IN ('order-confirmed', 'order-cancelled', 'order-dispatched')),
    CONSTRAINT "notification_status_is_known" CHECK ("status" IN ('sent', 'failed')),
    CONSTRAINT "notification_failed_has_a_reason" CHECK (("status" = 'failed') = ("reason" IS NOT NULL))
);

-- The newest first, of all customers and of one.
CREATE INDEX "notification_recorded_at_order_id_kind_idx" ON "notification"("recorded_at", "order_id", "kind");
CREATE INDEX "notification_recipient_recorded_at_order_id_kind_idx" ON "notification"("recipient", "recorded_at", "order_id", "kind");
