import type { Logger } from '../log.js';
import type { CouchTarget } from '../wire/couch-route.js';
import type { TlsIdentity } from '../wire/tls.js';

export interface FrontOptions {
  /** "host:port". */
  readonly address: string;
  /** The peer's. Its certificate may be replaced; renew() looks again. */
  readonly tls: TlsIdentity;
  /** Where a service behind the front listens, by its name in the routing table, or FRONT_AUTH. */
  readonly socketOf: (name: string) => string;
  readonly couch: CouchTarget;
  readonly logger: Logger;
}

/** The only public port of a peer, in a process of its own. It holds no member list and no secret but the peer's key. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** Begins to use a new certificate, of the same key. Transfers in progress go on. */
  renew(): Promise<void>;
  close(): Promise<void>;
}
