export { type Consumer, createKafka, type Kafka, type KafkaOptions } from './client.ts';
export {
  describeTopics,
  type GroupMember,
  type PartitionDescription,
  type PartitionReader,
  type TopicDescription,
  type TopicReader,
  TopicView,
  type TopicViewOptions,
} from './describe.ts';
export { CannotGrow, type CannotGrowReason } from './cannot-grow.ts';
export {
  type GroupBehind,
  type GrownTopic,
  growTopic,
  type GrowProgress,
  type GrowTopicOptions,
} from './grow-topic.ts';
export { type GroupLag, LagMeter, type LagMeterOptions, type LagReport } from './lag-meter.ts';
export { showLag } from './lag-metrics.ts';
export { liveBrokers, raiseReplication } from './replication.ts';
export { declaredTopics, type EnsuredTopics, ensureTopics, type SmallTopic } from './topic-step.ts';
export type { ServiceDatabase } from './topic-freeze.ts';
