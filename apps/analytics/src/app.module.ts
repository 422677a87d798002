import type { DynamicModule } from '@nestjs/common';
import { MessagingModule } from '@millrace/messaging';
import { messagingOptions, serviceModule } from '@millrace/service';
import type { AnalyticsConfig } from './config.ts';
import { FiguresModule } from './figures/figures.module.ts';
import { PrismaModule } from './prisma/prisma.module.ts';

/** The analytics service: what happened, in figures. */
export function appModule(config: AnalyticsConfig): DynamicModule {
  return serviceModule({
    name: 'analytics',
    config,
    imports: [MessagingModule.forRoot(messagingOptions('analytics', config)), PrismaModule, FiguresModule],
  });
}
