export { replay, saidBy, type StoryMessage, topicsOf } from './conversations.ts';
export { given, heard, type Story } from './given.ts';
export { type ReadRecord, TestTopics } from './test-topics.ts';
export { until } from './until.ts';
