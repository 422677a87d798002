/** The name of a partition, by which maps know it: `topic/partition`. */
export function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
