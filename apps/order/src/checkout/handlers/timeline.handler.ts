import { NotificationFailed, NotificationSent } from '@millrace/contracts';
import { type Handler, Handles, projects } from '@millrace/messaging';
import { Controller } from '@nestjs/common';
import { keepNotifications } from '../store/order-notifications.ts';

/** Notes what customers were told about their orders: nothing depends on it but the timeline. */
@Controller()
export class TimelineHandler {
  @Handles('order.timeline')
  timeline(): Handler {
    return projects({
      hears: [NotificationSent, NotificationFailed],
      tables: ['order_notifications'],
      project: keepNotifications,
    });
  }
}
