/** Where a listing begins: with the first id, or right behind `after`, which need not be there itself. */
export function startBehind(prefix: string, after: string | undefined): string {
  // No id holds the character, and none comes between.
  return after === undefined || after < prefix ? prefix : `${after}\u0000`;
}
