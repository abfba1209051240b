import { signal } from '@preact/signals';
import { parsePlace, placeUrl, type Place } from './location.js';

/**
 * Where the browser is. Paths of files go into the query, for the gateway answers an unknown GET with the page only where
 * the path has no ending.
 */
export const place = signal<Place>(parsePlace(location.pathname, location.search));

interface Going {
  /** The place takes that of the present one in the browser's history. */
  readonly replace?: boolean;
}

export function go(page: string, query: Readonly<Record<string, string | undefined>> = {}, going: Going = {}): void {
  const url = placeUrl(page, query);
  if (going.replace === true) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  arrive();
}

function arrive(): void {
  place.value = parsePlace(location.pathname, location.search);
}

/** Makes links to pages and the browser's buttons work without loading anything. */
export function startRouter(): void {
  addEventListener('popstate', arrive);
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || !isOurs(link, event)) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    arrive();
    scrollTo(0, 0);
  });
}

/** A plain click on a link to a page: not to the API, to elsewhere, into another tab. */
function isOurs(link: HTMLAnchorElement, event: MouseEvent): boolean {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const here = link.origin === location.origin && !link.pathname.startsWith('/api/') && link.pathname !== '/metrics';
  return plain && here && !event.defaultPrevented && link.target === '' && !link.hasAttribute('download');
}
