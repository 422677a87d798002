import { runService } from '../process/service.ts';
import { AnalyticsModule } from './analytics.module.ts';

await runService('analytics', AnalyticsModule);
