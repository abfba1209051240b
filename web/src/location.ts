/** Addresses of the pages, as logic: which page, and what it shows. No address holds a dot in its path (see router.ts). */
export interface Place {
  readonly page: string;
  readonly query: Readonly<Record<string, string>>;
}

/** `/files?path=%2Fa` → files, {path: '/a'}. */
export function parsePlace(pathname: string, search: string): Place {
  const [page = ''] = pathname.split('/').filter((part) => part !== '');
  return { page, query: Object.fromEntries(new URLSearchParams(search)) };
}

/** Parameters that are undefined or empty are left out. */
export function placeUrl(page: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const kept = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  const parameters = new URLSearchParams(kept);
  return parameters.size === 0 ? `/${page}` : `/${page}?${parameters.toString()}`;
}
