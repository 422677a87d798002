import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.ts';

const base = { DATABASE_URL: 'postgresql://payment:secret@127.0.0.1/payment', KAFKA_BROKERS: '127.0.0.1:9092' };

describe('the configuration of the payment service', () => {
  it('chooses the in-process provider unless told otherwise', () => {
    const ledgerUrl = 'postgresql://payment_provider:secret@127.0.0.1/payment_provider';
    expect(readConfig({ ...base, PAYMENT_PROVIDER_LEDGER_URL: ledgerUrl })).toMatchObject({
      HTTP_PORT: 8081,
      PAYMENT_PROVIDER: 'in-process',
      PAYMENT_PROVIDER_LEDGER_URL: ledgerUrl,
    });
  });

  it("takes Stripe with a key, at Stripe's own address", () => {
    expect(readConfig({ ...base, PAYMENT_PROVIDER: 'stripe', STRIPE_API_KEY: 'sk_test_1' })).toMatchObject({
      PAYMENT_PROVIDER: 'stripe',
      STRIPE_API_BASE: 'https://api.stripe.com',
    });
  });

  it('says what is missing for Stripe, next to everything else that is wrong', () => {
    const reading = () => readConfig({ PAYMENT_PROVIDER: 'stripe', STRIPE_TIMEOUT_MS: 'soon' });
    expect(reading).toThrow(/DATABASE_URL is missing/);
    expect(reading).toThrow(/STRIPE_API_KEY is missing: the secret key/);
    expect(reading).toThrow(/STRIPE_TIMEOUT_MS is not valid/);
  });

  it('says what is missing for the in-process provider', () => {
    expect(() => readConfig(base)).toThrow(/PAYMENT_PROVIDER_LEDGER_URL is missing/);
  });

  it('names the providers it knows when another is asked for', () => {
    expect(() => readConfig({ ...base, PAYMENT_PROVIDER: 'barter' })).toThrow(
      /PAYMENT_PROVIDER is not valid \(expected in-process or stripe\)/,
    );
  });
});
