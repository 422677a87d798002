import type { DatabaseName } from '@millrace/shop';
import type { Copying } from '../copying.ts';
import { analytics } from './analytics.ts';
import { inventory } from './inventory.ts';
import { notification } from './notification.ts';
import { order } from './order.ts';
import { payment } from './payment.ts';
import { paymentProvider } from './payment-provider.ts';
import { shipping } from './shipping.ts';

export const copyings: Readonly<Record<DatabaseName, Copying>> = {
  order,
  inventory,
  payment,
  shipping,
  notification,
  analytics,
  payment_provider: paymentProvider,
};
