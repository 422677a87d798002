import { Module } from '@nestjs/common';
import { FiguresMetrics } from './figures.metrics.ts';
import { FiguresHandler } from './handlers/figures.handler.ts';
import { GetFunnelController } from './http/get-funnel.controller.ts';
import { GetLatencyController } from './http/get-latency.controller.ts';
import { GetMessagesController } from './http/get-messages.controller.ts';
import { GetProductsController } from './http/get-products.controller.ts';
import { GetRevenueController } from './http/get-revenue.controller.ts';
import { FiguresQueries } from './store/figures.queries.ts';
import { FiguresStore } from './store/figures.store.ts';

/** The shop in figures: hears every event, answers questions. */
@Module({
  controllers: [
    FiguresHandler,
    GetRevenueController,
    GetFunnelController,
    GetProductsController,
    GetLatencyController,
    GetMessagesController,
  ],
  providers: [FiguresStore, FiguresQueries, FiguresMetrics],
})
export class FiguresModule {}
