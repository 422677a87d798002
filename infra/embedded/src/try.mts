import { startShop } from './shop.ts';
import { temporaryFolder } from './temporary-folder.ts';
const f = temporaryFolder('try');
const t = performance.now();
process.on('unhandledRejection', e => console.error('UNHANDLED', e));
try {
const shop = await startShop({ dir: f.path, onStep: (s, ms) => console.log(s, ms, '@', Math.round(performance.now()-t)), log: console.log, onServiceExit: (r, e, l) => console.log('EXIT', r.service, e, l.slice(-1500)) , onServerExit: console.log});
console.log('ready', Math.round(performance.now()-t), process.cpuUsage());
console.log(shop.urls);
await shop.stop();
} catch (e) { console.error(e); }
console.log('stopped', Math.round(performance.now()-t));
await f.remove();
