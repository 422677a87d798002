import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { scenes } from './tour/scenes.ts';
import { ShopClient, type Product, type ShopUrls } from './tour/shop-client.ts';
import { Stage, tourSku, type Audience, type Scene } from './tour/stage.ts';

export { scenes } from './tour/scenes.ts';
export type { Product, ShopUrls, TimelineEntry } from './tour/shop-client.ts';
export type { Audience, Check, Scene } from './tour/stage.ts';

// What all scenes together take off the shelf, and some more.
const ENOUGH = 50;

// News of a product takes milliseconds to the order service; this is for a machine that is busy with something else.
const SOLD_WITHIN_MS = 30_000;

const FAVOURITE_SKU = 'MUG-BLUE';

export interface StageOptions {
  /** Lists a product that nobody else buys, for a shop with other customers: the scenes count what is on its shelf. */
  readonly ownProduct?: boolean;
}

/** Gets ready to play scenes in a shop: one that has been open for long, or with a catalog of its own, is as good. */
export async function openStage(urls: ShopUrls, audience: Audience, options: StageOptions = {}): Promise<Stage> {
  const shop = new ShopClient(urls);
  const run = randomBytes(3).toString('hex').toUpperCase();
  const product = options.ownProduct ? await listOwn(shop, run) : await somethingToSell(shop, run);
  return new Stage(shop, product, run, audience);
}

/** Plays the whole tour; never rejects. A scene that cannot go on is a check that does not hold, and the next one begins. */
export async function playTour(stage: Stage, onScene: (scene: Scene, number: number) => void): Promise<void> {
  for (const [index, scene] of scenes.entries()) {
    onScene(scene, index + 1);
    await scene.play(stage).catch((error: unknown) => stage.breakOff(error));
  }
}

async function somethingToSell(shop: ShopClient, run: string): Promise<Product> {
  const plenty = (await shop.products()).filter(({ stock }) => stock.available >= ENOUGH);
  const found = plenty.find(({ sku }) => sku === FAVOURITE_SKU) ?? plenty[0];
  return found ?? listOwn(shop, run);
}

async function listOwn(shop: ShopClient, run: string): Promise<Product> {
  const product = {
    sku: tourSku('MUG', run),
    name: 'Mug of the tour',
    price: { amountMinor: 1490, currency: 'EUR' },
    stock: 1000,
  };
  const listed = await shop.listProduct(product);
  for (const end = Date.now() + SOLD_WITHIN_MS; !(await shop.isSold(product.sku)); await sleep(25)) {
    if (Date.now() > end) throw new Error(`${product.sku} was listed, and the order service does not sell it.`);
  }
  return listed;
}
