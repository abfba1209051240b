/** What was added to the counts of a process since one looked before. They only grow: fewer are of a process that began anew. */
export function addedSince<Name extends string>(
  now: Readonly<Record<Name, number>>,
  before: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const names = Object.keys(before) as Name[];
  const isAnew = names.some((name) => now[name] < before[name]);
  const added = names.map((name) => [name, isAnew ? now[name] : now[name] - before[name]] as const);
  return Object.fromEntries(added) as Record<Name, number>;
}
