import { runService } from '../process/service.ts';
import { ShippingModule } from './shipping.module.ts';

await runService('shipping', ShippingModule);
