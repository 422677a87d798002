import { runService } from '../process/service.ts';
import { InventoryModule } from './inventory.module.ts';

await runService('inventory', InventoryModule);
