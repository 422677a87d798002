export { type Consumer, createKafka, type Kafka, type KafkaOptions } from './client.ts';
export { type GroupLag, LagMeter, type LagMeterOptions, type LagReport } from './lag-meter.ts';
export { showLag } from './lag-metrics.ts';
export { liveBrokers, raiseReplication } from './replication.ts';
export { declaredTopics, ensureTopics } from './topic-step.ts';
