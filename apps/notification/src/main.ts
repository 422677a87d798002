import { runService } from '@millrace/service';
import { appModule } from './app.module.ts';
import { readConfig } from './config.ts';

await runService({ name: 'notification', config: readConfig, module: appModule });
