import { randomBytes } from 'node:crypto';
import { scenes } from './tour/scenes.ts';
import { ShopClient, type Product, type ShopUrls } from './tour/shop-client.ts';
import { Stage, type Audience, type Scene } from './tour/stage.ts';

export { scenes } from './tour/scenes.ts';
export type { Product, ShopUrls, TimelineEntry } from './tour/shop-client.ts';
export type { Audience, Check, Scene } from './tour/stage.ts';

// What all scenes together take off the shelf, and some more.
const ENOUGH = 50;

const FAVOURITE_SKU = 'MUG-BLUE';

/** Gets ready to play scenes in a shop: one that has been open for long, or with a catalog of its own, is as good. */
export async function openStage(urls: ShopUrls, audience: Audience): Promise<Stage> {
  const shop = new ShopClient(urls);
  const run = randomBytes(3).toString('hex').toUpperCase();
  return new Stage(shop, await somethingToSell(shop, run), run, audience);
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
  if (found !== undefined) return found;
  const product = {
    sku: `MUG-${run}`,
    name: 'Mug of the tour',
    price: { amountMinor: 1490, currency: 'EUR' },
    stock: 1000,
  };
  const listed = await shop.listProduct(product);
  for (const end = Date.now() + 10_000; !(await shop.isSold(product.sku));) {
    if (Date.now() > end) throw new Error(`${product.sku} was listed, and the order service does not sell it.`);
  }
  return listed;
}
