export { type Consumer, createKafka, type Kafka, type KafkaOptions } from './client.ts';
export { type OutgoingRecord, RecordProducer } from './record-producer.ts';
export { declaredTopics, ensureTopics, topicConfigs } from './topic-step.ts';
