import { fileURLToPath } from 'node:url';
import type { DynamicModule } from '@nestjs/common';
import { MessagingModule } from '@millrace/messaging';
import { messagingOptions, serviceModule } from '@millrace/service';
import type { NotificationConfig } from './config.ts';
import { OrderEmailsModule } from './order-emails/order-emails.module.ts';
import { PrismaModule } from './prisma/prisma.module.ts';

/** The notification service: tells customers what became of their orders. */
export function appModule(config: NotificationConfig): DynamicModule {
  return serviceModule({
    name: 'notification',
    config,
    imports: [
      MessagingModule.forRoot(messagingOptions('notification', config)),
      PrismaModule,
      OrderEmailsModule.forRoot({
        templates: fileURLToPath(new URL('../templates', import.meta.url)),
        mailServer: { url: config.SMTP_URL, from: config.MAIL_FROM, connections: config.SMTP_CONNECTIONS },
      }),
    ],
  });
}
