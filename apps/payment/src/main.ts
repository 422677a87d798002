import { runService } from '@millrace/service';
import { paymentModule } from './app.module.ts';
import { readConfig } from './config.ts';

await runService({ name: 'payment', config: readConfig, module: paymentModule });
