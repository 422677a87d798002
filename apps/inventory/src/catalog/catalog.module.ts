import { type DynamicModule, Module } from '@nestjs/common';
import { Catalog } from './catalog.ts';
import { ProductsController } from './http/products.controller.ts';
import { ProductQueries } from './store/product-queries.ts';

/** Lists products and says their prices. */
@Module({ controllers: [ProductsController], providers: [Catalog, ProductQueries], exports: [Catalog] })
export class CatalogModule {
  /** `stock` is the module that keeps what the catalog puts on the shelf. */
  static forRoot(stock: DynamicModule): DynamicModule {
    return { module: CatalogModule, imports: [stock] };
  }
}
