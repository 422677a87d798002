import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

const base = baseConfig({ httpPort: 8084 });

const schema = z.object({
  ...base,
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'expected an smtp:// or smtps:// URL' })
    .describe('the mail server, such as smtp://user:password@mail.example.com:587'),
  SMTP_CONNECTIONS: z.coerce
    .number('expected a number')
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe('connections to the mail server at most, such as 8; each sends one mail at a time'),
  MAIL_FROM: z
    .string()
    .regex(/^([^<>\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/, 'expected an address, or a name and <address>')
    .default('Millrace <orders@millrace.example>')
    .describe('who the mails come from, such as Millrace <orders@millrace.example>'),
});

export type NotificationConfig = z.output<typeof schema>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong. */
export const readConfig = (env?: NodeJS.ProcessEnv): NotificationConfig => loadConfig(schema, env);
