import 'reflect-metadata';
import { runService } from '@millrace/service';
import { appModule } from './app.module.ts';
import { readConfig } from './config.ts';

await runService({
  name: 'order',
  config: readConfig,
  module: appModule,
  http: {
    openApi: {
      title: 'Millrace order API',
      description:
        'Place orders, follow them, cancel them. An order that was accepted reaches exactly one end: `completed`, or ' +
        '`cancelled` with money and stock given back. Errors are problems (RFC 9457): `detail` says what to do, `traceId` finds ' +
        'the request in traces and logs.',
    },
  },
});
