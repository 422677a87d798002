export default async function stopInfrastructure() {
  const { folder, kafka, postgres } = globalThis.millraceTestInfrastructure;
  await Promise.all([kafka.stop(), postgres.stop()]);
  await folder.remove();
}
