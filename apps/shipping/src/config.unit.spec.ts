import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.ts';

const base = { DATABASE_URL: 'postgresql://shipping:secret@127.0.0.1/shipping', KAFKA_BROKERS: '127.0.0.1:9092' };

describe('the configuration of the shipping service', () => {
  it('has a carrier that dispatches after a while and refuses two postcodes, unless told otherwise', () => {
    expect(readConfig(base)).toMatchObject({
      HTTP_PORT: 8083,
      CARRIER_REFUSED_POSTCODES: new Set(['00000', '99999']),
      CARRIER_DISPATCH_AFTER_MS: 1_500,
      CARRIER_DELIVER_AFTER_MS: 3_000,
    });
  });

  it('takes a list of postcodes and other delays', () => {
    const changed = { ...base, CARRIER_REFUSED_POSTCODES: '11111, SW1A 1AA', CARRIER_DISPATCH_AFTER_MS: '0' };
    expect(readConfig(changed)).toMatchObject({
      CARRIER_REFUSED_POSTCODES: new Set(['11111', 'SW1A 1AA']),
      CARRIER_DISPATCH_AFTER_MS: 0,
    });
  });

  it('says everything that is wrong at once', () => {
    const reading = () => readConfig({ CARRIER_DISPATCH_AFTER_MS: 'soon', CARRIER_DELIVER_AFTER_MS: '-1' });
    expect(reading).toThrow(/DATABASE_URL is missing/);
    expect(reading).toThrow(/CARRIER_DISPATCH_AFTER_MS is not valid/);
    expect(reading).toThrow(/CARRIER_DELIVER_AFTER_MS is not valid/);
  });
});
