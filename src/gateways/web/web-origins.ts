import type { IncomingHttpHeaders } from 'node:http';
import { StorageError } from '../../errors.js';

/** Names of the machine itself: no name server has a say in them (RFC 6761, section 6.3), so no page can rebind them. */
const LOOPBACK = /^(localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])$/;

/** How the browser reached this server. */
export interface ReachedBy {
  /** The Host header, in small letters. */
  readonly host: string;
  /** Through a proxy that speaks TLS. */
  readonly proxied: boolean;
}

type Headers = Pick<IncomingHttpHeaders, 'host' | 'origin' | 'sec-fetch-site'>;

/** Which names this web server has, and which requests come from its own pages. */
export class WebOrigins {
  readonly #hosts: ReadonlySet<string>;

  /** @param hosts names beside those of the machine itself */
  constructor(hosts: readonly string[]) {
    this.#hosts = new Set(hosts);
  }

  /**
   * A page of another site that has its own name lead here (DNS rebinding) still sends that name.
   *
   * @throws StorageError PERMISSION_DENIED
   */
  reachedBy({ host = '' }: Headers): ReachedBy {
    const lower = host.toLowerCase();
    const name = lower.replace(/:\d{1,5}$/, '');
    if (LOOPBACK.test(name)) return { host: lower, proxied: false };
    if (this.#hosts.has(name)) return { host: lower, proxied: true };
    throw new StorageError(
      'PERMISSION_DENIED',
      `This peer does not go by the name "${printable(name)}". Its names are 127.0.0.1, localhost and those in the setting "webHosts" (SHOAL_WEB_HOSTS).`,
    );
  }

  /**
   * Pages of other sites may link here, and ask for nothing else. What sends neither header is no browser of today.
   *
   * @throws StorageError PERMISSION_DENIED
   */
  checkSite({ origin, 'sec-fetch-site': site }: Headers, { host, proxied }: ReachedBy): void {
    const own = proxied ? [`https://${host}`] : [`http://${host}`, `https://${host}`];
    const isForeign = origin !== undefined && !own.includes(origin.toLowerCase());
    if (isForeign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
      throw new StorageError('PERMISSION_DENIED', 'A page of another site may not ask this of Shoal.');
    }
  }
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x21-\x7e]/g, '?');
}

/** @throws StorageError INVALID_ARGUMENT for an address of other machines where nobody has said by which names they come */
export function checkReach(address: string, hosts: readonly string[]): void {
  if (hosts.length > 0 || /^(localhost|127(\.\d{1,3}){3}|\[::1\]):/i.test(address)) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `At ${address} the web UI could be reached from other machines, which needs TLS. Put a proxy that speaks TLS in front, and name its host names in the setting "webHosts" (SHOAL_WEB_HOSTS): docs/http-api.md.`,
  );
}
