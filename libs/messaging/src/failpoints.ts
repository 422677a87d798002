/** Where a process can be made to die, so that tests can show what a crash there leaves behind. */
export type Failpoint = 'before-commit' | 'after-commit' | 'after-produce' | 'before-offset-commit';

let armed: { name: string; scope: string; left: number } | undefined;

/**
 * Arms one failpoint of this process: `<failpoint>@<scope>#<n>`, for example `after-commit@payment.payments#3`: the third
 * time that consumer group commits, the process kills itself with SIGKILL. The scope of `after-produce` is `relay`.
 * @throws {Error} the text is no failpoint.
 */
export function armFailpoint(text: string): void {
  const match = /^(before-commit|after-commit|after-produce|before-offset-commit)@([\w.-]+)(?:#(\d+))?$/.exec(text);
  if (!match) throw new Error(`no failpoint: ${text}; expected <failpoint>@<scope>#<n>`);
  const [, name = '', scope = '', count = '1'] = match;
  armed = { name, scope, left: Number(count) };
}

/** Dies here if this failpoint is armed. */
export function failpoint(name: Failpoint, scope: string): void {
  if (armed === undefined || armed.name !== name || armed.scope !== scope) return;
  armed.left -= 1;
  if (armed.left <= 0) process.kill(process.pid, 'SIGKILL');
}
