import kafkajs, { type Kafka } from 'kafkajs';

/** The topics that the members of a consumer group asked for when they joined, sorted; none while it has no member. */
export async function subscribedTopics(kafka: Kafka, group: string): Promise<readonly string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([group]);
    const members = groups.flatMap((described) => described.members);
    const topics = members.flatMap(
      ({ memberMetadata }) => kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
    );
    return [...new Set(topics)].toSorted();
  } finally {
    await admin.disconnect();
  }
}
