/** A message that was applied or said, in order. */
export interface Applied {
  readonly account: string;
  readonly id: string;
}

/**
 * What is wrong with what was applied, compared with what was sent (account → ids in order); undefined when nothing is. `exempt` were
 * sent and must not be applied.
 */
export function difference(
  sent: ReadonlyMap<string, readonly string[]>,
  applied: readonly Applied[],
  exempt: ReadonlySet<string> = new Set(),
): string | undefined {
  const found = new Map<string, string[]>();
  for (const { account, id } of applied) {
    const ids = found.get(account);
    if (ids) ids.push(id);
    else found.set(account, [id]);
  }
  let [lost, repeated, strange] = [0, 0, 0];
  const disordered: string[] = [];
  for (const [account, all] of sent) {
    const wanted = all.filter((id) => !exempt.has(id));
    const ids = found.get(account) ?? [];
    const once = [...new Set(ids)];
    const known = new Set(wanted);
    lost += wanted.filter((id) => !ids.includes(id)).length;
    repeated += ids.length - once.length;
    strange += once.filter((id) => !known.has(id)).length;
    const present = new Set(once);
    const expected = wanted.filter((id) => present.has(id));
    const actual = once.filter((id) => known.has(id));
    if (expected.some((id, index) => id !== actual[index])) disordered.push(account);
  }
  for (const [account, ids] of found) if (!sent.has(account)) strange += ids.length;
  const total = [...sent.values()].reduce((sum, ids) => sum + ids.length, 0) - exempt.size;
  const complaints = [
    ...(lost > 0 ? [`${lost} of ${total} are lost`] : []),
    ...(repeated > 0 ? [`${repeated} came more than once`] : []),
    ...(strange > 0 ? [`${strange} should not be there`] : []),
    ...(disordered.length > 0 ? [`${disordered.length} accounts are out of order`] : []),
  ];
  return complaints.length === 0 ? undefined : complaints.join(', ');
}
