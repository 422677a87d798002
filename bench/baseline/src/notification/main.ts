import { runService } from '../process/service.ts';
import { NotificationModule } from './notification.module.ts';

await runService('notification', NotificationModule);
