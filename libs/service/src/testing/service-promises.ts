import { expect, it } from '@jest/globals';
import {
  type ReadRecord,
  saidBy,
  type StoryMessage,
  type TestTopics,
  topicsOf,
  until,
} from '@millrace/messaging/testing';
import type { RunningService } from '../lifecycle/start-service.ts';
import { type DeclaredTalk, declaredTalk } from './declared-talk.ts';
import { documentedRoutes, OPERATORS_ROUTES, servedRoutes } from './routes.ts';

/** A message as a release said it. */
interface ReleasedMessage extends StoryMessage {
  readonly release: string;
}

/** What a service promises others by its documents, and what every release has to say to it. */
export class ServicePromises<Released extends ReleasedMessage> {
  readonly #service: string;
  readonly #topics: TestTopics;
  readonly #declared: DeclaredTalk;
  /** The wire types that it says, by its AsyncAPI document; sorted. */
  readonly says: readonly string[];
  /** Its consumer groups. */
  readonly groups: readonly string[];
  /** Those of all messages that it hears, story by story. */
  readonly messages: readonly Released[];
  /** How many releases they are of. */
  readonly releases: number;

  constructor(service: string, topics: TestTopics, released: readonly Released[]) {
    this.#service = service;
    this.#topics = topics;
    this.#declared = declaredTalk(service);
    const heard = [...this.#declared.hears.values()].flatMap(({ wireTypes }) => wireTypes);
    this.says = this.#declared.says;
    this.groups = [...this.#declared.hears.keys()];
    this.messages = released.filter(({ headers }) => heard.includes(headers['ce_type'] ?? ''));
    this.releases = new Set(this.messages.map(({ release }) => release)).size;
  }

  /** The dead letters of its groups. */
  async setAside(): Promise<readonly ReadRecord[]> {
    return (await Promise.all(this.groups.map((group) => this.#topics.read(`${group}.dlq`)))).flat();
  }

  /** The wire types that it has said to these topics, sorted, as soon as they are as many as it declares. */
  async said(names: readonly string[]): Promise<readonly string[]> {
    const said = () => saidBy(this.#topics, this.#service, names);
    await until('all of it is said', async () => (await said()).length >= this.says.length);
    return said();
  }

  /** Tests for the suite that is being described: what runs hears and serves what is documented. */
  itHearsAndServesWhatIsDocumented(running: () => RunningService): void {
    it('subscribes to the topics that its AsyncAPI document names, group by group', async () => {
      for (const [group, { topics }] of this.#declared.hears) {
        expect(await topicsOf(this.#topics, group)).toEqual(topics);
      }
    });

    it('serves the routes that its API document describes, and those of its operators', async () => {
      const { app, url } = running();
      const documented = await documentedRoutes(url);
      expect(documented).not.toEqual([]);
      expect(servedRoutes(app)).toEqual([...documented, ...OPERATORS_ROUTES].toSorted());
    });
  }
}
