import { services } from '@millrace/shop';
import { freePort, isPortInUse } from '../free-port.ts';

/** Who listens on a port of its own. */
export const portUsers = [...services, 'mail', 'kafka', 'postgres'] as const;
export type PortUser = (typeof portUsers)[number];
export type ShopPorts = Readonly<Record<PortUser, number>>;

/** The ports that the documentation names. `mail` is the page that shows the mails. */
export const fixedPorts: ShopPorts = {
  order: 8080,
  payment: 8081,
  inventory: 8082,
  shipping: 8083,
  notification: 8084,
  analytics: 8085,
  mail: 8025,
  kafka: 19_092,
  postgres: 15_432,
};

export interface TakenPort {
  readonly user: PortUser;
  readonly port: number;
}

/** Ports that the shop wants and somebody else has. Nothing was started. */
export class PortsTaken extends Error {
  override readonly name = 'PortsTaken';
  readonly taken: readonly TakenPort[];

  constructor(taken: readonly TakenPort[]) {
    super(taken.map(({ user, port }) => `Port ${port}, wanted for ${user}, is in use.`).join('\n'));
    this.taken = taken;
  }
}

/** Ports on which nobody listens at this moment, all different. */
export async function freePorts(): Promise<ShopPorts> {
  const ports: Partial<Record<PortUser, number>> = {};
  const taken = new Set<number>();
  for (const user of portUsers) ports[user] = await otherFreePort(taken);
  return ports as ShopPorts;
}

/** A free port that is none of those already given away; it becomes one of them. */
export async function otherFreePort(givenAway: Set<number>): Promise<number> {
  let port = await freePort();
  while (givenAway.has(port)) port = await freePort();
  givenAway.add(port);
  return port;
}

/** Resolves when nobody listens on any of the ports. @throws {PortsTaken} naming all of those that are taken. */
export async function requireFreePorts(ports: ShopPorts): Promise<void> {
  const states = await Promise.all(
    portUsers.map(async (user) => ({ user, port: ports[user], isTaken: await isPortInUse(ports[user]) })),
  );
  const taken = states.filter(({ isTaken }) => isTaken);
  if (taken.length > 0) throw new PortsTaken(taken.map(({ user, port }) => ({ user, port })));
}
