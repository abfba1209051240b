/**
 * How many groups of chunks (machines, or zones) may fail, whichever they are, before fewer than k are left: the largest fail
 * first. Below 0, so many chunks are missing now.
 *
 * @param held chunks in each group
 */
export function failuresLeft(held: readonly number[], k: number): number {
  let chunks = held.reduce((sum, amount) => sum + amount, 0);
  if (chunks < k) return chunks - k;
  let failures = 0;
  for (const amount of held.toSorted((a, b) => b - a)) {
    chunks -= amount;
    if (chunks < k) break;
    failures++;
  }
  return failures;
}
