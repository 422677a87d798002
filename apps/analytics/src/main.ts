import { runService } from '@millrace/service';
import { appModule } from './app.module.ts';
import { readConfig } from './config.ts';

await runService({ name: 'analytics', config: readConfig, module: appModule });
