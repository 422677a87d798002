import { runService } from '@millrace/service';
import { shippingModule } from './app.module.ts';
import { readConfig } from './config.ts';

await runService({ name: 'shipping', config: readConfig, module: shippingModule });
