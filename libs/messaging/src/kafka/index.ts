export { type Consumer, createKafka, type Kafka, type KafkaOptions } from './client.ts';
export { declaredTopics, ensureTopics } from './topic-step.ts';
