import type { Templates } from './domain/order-mail.ts';

/** What the mails say, and how many are sent side by side. */
export class OrderEmailsSettings {
  readonly templates: Templates;
  readonly connections: number;

  constructor(settings: { readonly templates: Templates; readonly connections: number }) {
    this.templates = settings.templates;
    this.connections = settings.connections;
  }
}
