import { PriceChanged, ProductListed } from '@millrace/contracts';
import { type Handler, Handles, projects } from '@millrace/messaging';
import { Controller } from '@nestjs/common';
import { ProductStore } from '../store/product.store.ts';

/** Follows the catalog, so that an order can be priced without asking another service. */
@Controller()
export class PricesHandler {
  constructor(private readonly products: ProductStore) {}

  @Handles('order.prices')
  prices(): Handler {
    return projects({
      hears: [ProductListed, PriceChanged],
      tables: ['products'],
      needs: 'newest-per-key',
      project: (tx, news) => this.products.keep(tx, news),
    });
  }
}
