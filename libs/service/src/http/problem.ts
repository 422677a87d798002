/** One thing that is wrong with a request: where, and what was expected there. */
export interface FieldError {
  /** Such as `lines[0].sku`; empty for the request as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ProblemOptions {
  /** 400 to 599. */
  readonly status: number;
  /** The slug that names this kind of problem for programs, such as `unknown-sku`. */
  readonly type: string;
  /** The kind of problem in a few words; the same for each occurrence. */
  readonly title: string;
  /** What went wrong this time and what the caller can do about it. It is sent to the caller. */
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Further members of the answer, such as `currentState`. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Thrown to answer a request with an RFC 9457 problem. Everything but its cause is sent to the caller. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, type, title, detail, errors, members = {}, headers = {}, cause }: ProblemOptions) {
    super(`${title}: ${detail}`, cause === undefined ? {} : { cause });
    this.status = status;
    this.type = type;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.members = members;
    this.headers = headers;
  }
}

/** 400: parts of the request are not as the API describes them; all of them at once. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  return new Problem({
    status: 400,
    type: 'invalid-request',
    title: 'Invalid request',
    detail: 'Correct what is listed in "errors" and send the request again. /docs describes what is expected.',
    errors,
  });
}
