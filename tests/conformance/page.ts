import { plantedBugs } from './planted-bugs.ts';
import { type PromiseName, promises } from './promises.ts';
import { readResults, type Results } from './results.ts';
import { nameOf } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

const NOT_RUN = 'not run yet';

/**
 * The tables of docs/promises.md: each promise with its scenarios and planted bugs, as the code lists them, and the results of the last
 * full run.
 * @throws {Error} the results tell of something that is no more.
 */
export function promisesPart(results: Results | undefined = readResults()): string {
  refuseStale(results);
  return [
    summary(results),
    ...(Object.keys(promises) as PromiseName[]).map((promise) => section(promise, results)),
  ].join('\n\n');
}

function refuseStale(results: Results | undefined): void {
  const known = new Set([...scenarios.map(nameOf), ...plantedBugs.map(({ name }) => name)]);
  const told = [...Object.keys(results?.scenarios ?? {}), ...Object.keys(results?.bugs ?? {})];
  const stale = told.find((name) => !known.has(name));
  if (stale !== undefined) {
    throw new Error(`tests/conformance/results.json tells of "${stale}", which is no more: run \`pnpm conformance\``);
  }
}

function summary(results: Results | undefined): string {
  const counts = `${Object.keys(promises).length} promises, ${scenarios.length} scenarios, ${plantedBugs.length} planted bugs.`;
  if (results === undefined) return `${counts} No full run is recorded.`;
  return `${counts} Last full run: ${results.at.slice(0, 10)}, on ${results.cores} cores.`;
}

function section(promise: PromiseName, results: Results | undefined): string {
  const title = `### ${promise.charAt(0).toUpperCase()}${promise.slice(1)}`;
  const told = scenarios
    .filter((scenario) => scenario.promise === promise)
    .map((scenario) => {
      const outcome = results?.scenarios[nameOf(scenario)];
      return [scenario.title, verdict(outcome?.['1']), verdict(outcome?.['3'])];
    });
  const planted = plantedBugs
    .filter((bug) => bug.promise === promise)
    .map(({ name, file, scenario }) => {
      const result = results?.bugs[name];
      const caught = result === undefined ? NOT_RUN : result.caught ? `yes: ${quoted(result.said)}` : '**no**';
      return [name, `\`${file}\``, scenario, caught];
    });
  return [
    title,
    promises[promise],
    table(['scenario', 'one broker', 'three brokers'], told),
    table(['planted bug', 'in', 'noticed by', 'caught'], planted),
  ].join('\n\n');
}

function verdict(outcome: { readonly holds: boolean; readonly seconds: number } | undefined): string {
  if (outcome === undefined) return NOT_RUN;
  return outcome.holds ? `holds, ${outcome.seconds.toFixed(1)} s` : '**does not hold**';
}

/** Without the ids, which are others in each run. */
function quoted(said: string): string {
  const [short = ''] = said.replaceAll('|', '\\|').split(/[[{"]/);
  return `_${short.trim()}_`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
