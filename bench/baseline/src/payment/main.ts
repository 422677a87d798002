import { runService } from '../process/service.ts';
import { PaymentModule } from './payment.module.ts';

await runService('payment', PaymentModule);
