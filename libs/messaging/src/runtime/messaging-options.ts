/** What a service says when it brings the messaging runtime in. */
export interface MessagingOptions {
  /** The service's name: source of its messages, prefix of its client ids. */
  readonly service: string;
  readonly brokers: readonly string[];
  /** Put before every topic and group name, so that tests can share a broker. Empty in production. */
  readonly topicPrefix: string;
  /** `<failpoint>@<scope>#<n>`: dies there, for tests of crashes. */
  readonly failpoint?: string;
}

export const MESSAGING_OPTIONS = Symbol('millrace.messaging-options');
