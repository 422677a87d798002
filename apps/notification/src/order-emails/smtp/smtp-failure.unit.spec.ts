import { describe, expect, it } from '@jest/globals';
import { smtpFailureOf } from './smtp-failure.ts';

const reply = (command: string, response: string) =>
  Object.assign(new Error(response), { command, response, responseCode: Number(response.slice(0, 3)) });
const broken = (code: string) => Object.assign(new Error(code), { code });

describe('what the mail client reports', () => {
  it.each([
    ['a refused connection', broken('ESOCKET')],
    ['a name that is not found', broken('EDNS')],
    ['a time-out', broken('ETIMEDOUT')],
    ['a connection that broke', broken('ECONNECTION')],
    ['a call that was cut short', broken('EABORT')],
    ['a wrong password', reply('AUTH PLAIN', '535 5.7.8 authentication failed')],
    ['a sender that is not allowed', reply('MAIL FROM', '550 5.7.1 sender refused')],
    ['a server that closes', reply('RCPT TO', '421 4.3.2 shutting down')],
    ['a full disk', reply('DATA', '452 4.3.1 insufficient system storage')],
    ['a local error without more', reply('DATA', '451 local error in processing')],
    ['a session out of step', reply('MAIL FROM', '503 5.5.1 bad sequence')],
    ['an error without any facts', new Error('?')],
  ])('is waited for: %s', (_, error) => {
    expect(smtpFailureOf(error)).toEqual({ kind: 'away' });
  });

  it.each([
    ['an unknown mailbox', reply('RCPT TO', '550 5.1.1 no such user'), 'the mail server answered 550 5.1.1'],
    ['a refusal without enhanced status', reply('RCPT TO', '550 no'), 'the mail server answered 550'],
    ['content that is not wanted', reply('DATA', '554 5.7.1 spam'), 'the mail server answered 554 5.7.1'],
  ])('ends the mail: %s', (_, error, reason) => {
    expect(smtpFailureOf(error)).toEqual({ kind: 'refused', reason, answer: error.response });
  });

  it('ends the mail when the client cannot even write it', () => {
    expect(smtpFailureOf(broken('EENVELOPE'))).toMatchObject({ kind: 'refused' });
  });

  it.each([
    ['a full mailbox', '452 4.2.2 mailbox full'],
    ['grey-listing', '450 4.7.1 try again later'],
    ['a busy mailbox', '450 mailbox busy'],
  ])('is tried again, for this mail only: %s', (_, response) => {
    expect(smtpFailureOf(reply('RCPT TO', response))).toMatchObject({ kind: 'deferred' });
  });
});
