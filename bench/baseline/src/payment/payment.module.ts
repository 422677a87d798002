import { Module } from '@nestjs/common';
import { PaymentController } from './payment.controller.ts';
import { PaymentProvider } from './payment-provider.ts';

@Module({ controllers: [PaymentController], providers: [PaymentProvider] })
export class PaymentModule {}
