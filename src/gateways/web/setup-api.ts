/**
 * The HTTP API of a peer that is not made yet: `shoal serve` in an empty home. Types only; the browser shares them.
 *
 *   GET  /api/v1/setup                              → SetupReply
 *   POST /api/v1/setup/network  NewNetworkRequest   → MadeReply
 *   POST /api/v1/setup/join     JoinNetworkRequest  → MadeReply
 *
 * After a MadeReply this server ends and the peer itself answers at the same place, within seconds. Whoever made it says who
 * he is by `session.link`, once, at `POST /api/v1/session/link`: then he may make a user there, or sign in.
 */
export interface SetupReply {
  /** The folder that is to be the peer's home. */
  readonly home: string;
  /** What may be proposed: the name of the machine, … */
  readonly peer: string;
  /** … where it could listen, … */
  readonly listen: string;
  /** … where others may reach it then, the likeliest first, … */
  readonly addresses: readonly string[];
  /** … and what its disk has left for chunks. */
  readonly roomBytes: number;
}

/** What somebody decides about a new peer. */
export interface NewPeerRequest {
  /** Its name. */
  readonly peer: string;
  /** HOST:PORT, where it listens … */
  readonly listen: string;
  /** … and where other peers reach it. */
  readonly address: string;
  /** What fails together with it; may be empty. */
  readonly zone: string;
  /** Absent: what its disk has. */
  readonly capacityBytes?: number | undefined;
}

export interface NewNetworkRequest extends NewPeerRequest {
  /** Of the network. */
  readonly name: string;
  /** Peers that may be lost; absent: as many as their number makes sensible. */
  readonly tolerate?: number | undefined;
  readonly user: string;
  readonly passphrase: string;
}

export interface JoinNetworkRequest extends NewPeerRequest {
  /** The invitation. */
  readonly token: string;
  /** It is to keep the databases of all others, too. */
  readonly backup?: boolean | undefined;
}

export interface MadeReply {
  /** Name of the network. */
  readonly network: string;
  /** Of its authority's certificate: SHA-256, in hex. null for whoever joins: the invitation has proved it. */
  readonly fingerprint: string | null;
  /** For `POST /api/v1/session/link` at the peer, once. */
  readonly link: string;
}
