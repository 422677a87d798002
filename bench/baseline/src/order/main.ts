import { runService } from '../process/service.ts';
import { OrderModule } from './order.module.ts';

await runService('order', OrderModule);
