/** What an error of the mail client tells: about the server, or about this one mail. */
export type SmtpFailure =
  /** The server is away, busy, or refuses us as a sender: every mail would fare alike, and none is at fault. */
  | { readonly kind: 'away' }
  /** The server wants this recipient to be tried again later. */
  | { readonly kind: 'deferred'; readonly reason: string; readonly answer: string }
  /** The server will never take this mail. */
  | { readonly kind: 'refused'; readonly reason: string; readonly answer: string };

/** The part of nodemailer's errors that tells. */
interface ClientError {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
}

// The commands that speak of one mail. Before them a server only speaks of itself and of us.
const ABOUT_THE_MAIL = new Set(['RCPT TO', 'DATA']);

// nodemailer's own refusals: an address it cannot write, a mail larger than the server said it takes.
const REFUSED_BY_CLIENT = new Set(['EENVELOPE', 'EMESSAGE']);

const SERVICE_CLOSES = 421;
const MAILBOX_BUSY = 450;

// RFC 3463: 1 is the address, 2 the mailbox, 6 the content, 7 the policy; 3, 4 and 5 are the server's own troubles.
const ENHANCED_STATUS = /^\d{3}[ -](\d\.(\d)\d{0,2}\.\d{1,3})\b/;
const SUBJECTS_OF_THE_MAIL = new Set(['1', '2', '6', '7']);

/**
 * Tells trouble of the server, which is waited for, from trouble of one mail, which ends. `reason` names only the server's
 * status codes, because its own words (`answer`) may repeat the recipient's address.
 */
export function smtpFailureOf(error: unknown): SmtpFailure {
  const { code = '', command = '', response = '', responseCode } = error as ClientError;
  if (responseCode === undefined) {
    if (!REFUSED_BY_CLIENT.has(code)) return { kind: 'away' };
    return { kind: 'refused', reason: 'the mail cannot be sent as it is', answer: messageOf(error) };
  }
  if (responseCode === SERVICE_CLOSES || !ABOUT_THE_MAIL.has(command)) return { kind: 'away' };
  const [, status, subject] = ENHANCED_STATUS.exec(response) ?? [];
  const reason = `the mail server answered ${status === undefined ? responseCode : `${responseCode} ${status}`}`;
  if (isPermanent(responseCode)) return { kind: 'refused', reason, answer: response };
  const isAboutTheMail = subject === undefined ? responseCode === MAILBOX_BUSY : SUBJECTS_OF_THE_MAIL.has(subject);
  return isAboutTheMail ? { kind: 'deferred', reason, answer: response } : { kind: 'away' };
}

// 503 says that the session is confused, not that the mail is wrong.
function isPermanent(responseCode: number): boolean {
  return responseCode >= 500 && responseCode !== 503;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
