export { Misuse } from './errors.ts';
export { type Located, runMillrace } from './run.ts';
export type { ShopMap, Surroundings } from './shop.ts';
