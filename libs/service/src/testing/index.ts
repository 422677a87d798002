export { serviceDatabase, serviceEnvironment } from './service-environment.ts';
export { ServicePromises } from './service-promises.ts';
