import { MessagingModule } from '@millrace/messaging';
import { messagingOptions, serviceModule } from '@millrace/service';
import type { DynamicModule } from '@nestjs/common';
import { CatalogModule } from './catalog/catalog.module.ts';
import type { InventoryConfig } from './config.ts';
import { PrismaModule } from './prisma/prisma.module.ts';
import { StockModule } from './stock/stock.module.ts';

/** The inventory service: products, stock, reservations. */
export function appModule(config: InventoryConfig): DynamicModule {
  const stock = StockModule.forRoot({ holdMs: config.STOCK_HOLD_MS });
  return serviceModule({
    name: 'inventory',
    config,
    imports: [
      MessagingModule.forRoot(messagingOptions('inventory', config)),
      PrismaModule,
      stock,
      CatalogModule.forRoot(stock),
    ],
  });
}
