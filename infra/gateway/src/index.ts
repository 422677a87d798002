export { readConfig } from './config.ts';
export { type Gateway, startGateway } from './gateway.ts';
