import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { OrderEmailsHandler } from './handlers/order-emails.handler.ts';
import { ListNotificationsController } from './http/list-notifications.controller.ts';
import { OrderEmailsSettings } from './order-emails.settings.ts';
import { MailServer, type MailServerOptions } from './smtp/mail-server.ts';
import { readTemplates } from './templates/read-templates.ts';
import { NotificationQueries } from './store/notification.queries.ts';

/** Tells customers what became of their orders, and remembers it. */
@Module({})
export class OrderEmailsModule implements OnApplicationShutdown {
  readonly #mailServer: MailServer;

  constructor(@Inject(MailServer) mailServer: MailServer) {
    this.#mailServer = mailServer;
  }

  /** Throws when a template in the directory cannot be used. */
  static forRoot(options: { readonly templates: string; readonly mailServer: MailServerOptions }): DynamicModule {
    const templates = readTemplates(options.templates);
    const settings = new OrderEmailsSettings({ templates, connections: options.mailServer.connections });
    return {
      module: OrderEmailsModule,
      controllers: [OrderEmailsHandler, ListNotificationsController],
      providers: [
        { provide: OrderEmailsSettings, useValue: settings },
        { provide: MailServer, useFactory: () => new MailServer(options.mailServer) },
        NotificationQueries,
      ],
    };
  }

  // The consumers have left by now, so no mail is under way.
  onApplicationShutdown(): void {
    this.#mailServer.close();
  }
}
