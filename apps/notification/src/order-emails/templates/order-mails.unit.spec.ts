import { fileURLToPath } from 'node:url';
import { CancellationReason, OrderCancelled, OrderConfirmed, OrderDispatched } from '@millrace/contracts';
import { heard } from '@millrace/messaging/testing';
import { describe, expect, it } from '@jest/globals';
import { cancelled, confirmed, dispatched } from '../../../test/telling-events.ts';
import { readTemplates } from './read-templates.ts';
import { composeMail } from '../domain/order-mail.ts';

const templates = readTemplates(fileURLToPath(new URL('../../../templates', import.meta.url)));

describe('a mail about an order', () => {
  it('confirms what was ordered, at which price', () => {
    const event = heard(OrderConfirmed, confirmed());
    const { to, subject, text } = composeMail(templates, event);
    expect(to).toEqual({ name: 'Ada Lovelace', address: 'ada@example.com' });
    expect(subject).toBe(`Your order ${event.body.orderId} is confirmed`);
    expect(text).toContain('Hello Ada Lovelace,');
    expect(text).toContain('  2 × Mug: €19.00\n');
    expect(text).toContain('Total: €19.00');
  });

  it.each(CancellationReason.options)('explains a cancellation because of %s in plain words', (reason) => {
    const { subject, text } = composeMail(templates, heard(OrderCancelled, cancelled({ reason })));
    expect(subject).toMatch(/is cancelled$/);
    expect(text).toMatch(/your order of €19\.00 is cancelled: [^\n]{10,}\./);
    expect(text).not.toContain(reason);
  });

  it('names the carrier and the tracking number of a parcel', () => {
    const { text } = composeMail(templates, heard(OrderDispatched, dispatched()));
    expect(text).toContain('with Millpost. Its tracking number is MP123.');
    expect(text).not.toContain('cancel');
  });

  it('says so when a cancellation came too late', () => {
    const { text } = composeMail(templates, heard(OrderDispatched, dispatched({ cancellationCameTooLate: true })));
    expect(text).toContain('You asked us to cancel this order.');
  });

  it('lets no name write lines of its own', () => {
    const contact = { name: 'Ada\r\nBcc: eve@example.com\n\n\u{2028}Visit evil.example', email: 'ada@example.com' };
    const { to, text } = composeMail(templates, heard(OrderConfirmed, confirmed({ contact })));
    expect(to.name).toBe('Ada Bcc: eve@example.com Visit evil.example');
    expect(text.split('\n')).toContain('Hello Ada Bcc: eve@example.com Visit evil.example,');
  });

  it('names nobody in its subject', () => {
    for (const event of [
      heard(OrderConfirmed, confirmed()),
      heard(OrderCancelled, cancelled()),
      heard(OrderDispatched, dispatched()),
    ]) {
      expect(composeMail(templates, event).subject).not.toMatch(/Ada|@/);
    }
  });
});
