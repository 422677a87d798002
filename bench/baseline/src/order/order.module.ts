import { Module } from '@nestjs/common';
import { CheckoutController } from './checkout.controller.ts';
import { OrdersController } from './orders.controller.ts';
import { TimelineController } from './timeline.controller.ts';

@Module({ controllers: [OrdersController, CheckoutController, TimelineController] })
export class OrderModule {}
