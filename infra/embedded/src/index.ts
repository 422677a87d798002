export type { Exit } from './child.ts';
export { freePort, freePortsInARow, isPortInUse } from './free-port.ts';
export { startKafka, type KafkaCluster, type KafkaNode, type KafkaOptions } from './kafka.ts';
export { startMailSink, type Mail, type MailSink, type MailSinkOptions } from './mail-sink.ts';
export { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';
export { startService, waitUntilReady, type ServiceHandle, type ServiceOptions } from './processes.ts';
export { startShop, type EnvironmentOf, type Shop, type ShopOptions } from './shop.ts';
export type { Replica } from './shop/replica.ts';
export { temporaryFolder } from './temporary-folder.ts';
