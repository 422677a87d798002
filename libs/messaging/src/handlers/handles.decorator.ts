import { EventPattern } from '@nestjs/microservices';
import type { Handler } from './handler.ts';

/** Under which Nest keeps the names that a method handles. */
export const PATTERN_METADATA = 'microservices:pattern';

/**
 * Marks a method of a Nest controller that describes a handler. The method is called once at start; the runtime then
 * consumes as `name`, which is the Kafka consumer group (`<service>.<purpose>`), or the name of the job for `dues`.
 */
export function Handles(
  name: string,
): (target: object, key: string, descriptor: TypedPropertyDescriptor<() => Handler>) => void {
  return EventPattern<string>(name) as never;
}
