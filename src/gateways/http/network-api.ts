/**
 * The part of the control API (api.ts) that is about the network and its peers. Types only, so that the CLI starts fast.
 *
 *   GET    /v1/network              → NetworkReply
 *   GET    /v1/peers                → PeerReply[]
 *   POST   /v1/peers/remove {peer}  → PeerReply: a name, or the first digits of an id
 *   POST   /v1/peers/drain {peer, force?, cancel?} → DrainReply: it is to leave, or to stay after all
 *   GET    /v1/peers/drain?peer=    → DrainReply: how far it is
 *   POST   /v1/peer  OwnRequest     → PeerReply: this peer itself
 *   GET    /v1/invitations          → InvitationReply[]
 *   POST   /v1/invitations InviteRequest → InvitedReply
 *   DELETE /v1/invitations?id=      → 204
 *
 * Times are RFC 3339, UTC.
 */

export interface NetworkReply {
  readonly id: string;
  readonly name: string;
  /** Of the authority's certificate: SHA-256, in hex. */
  readonly fingerprint: string;
  readonly authorityUntil: string;
  /** Peers that may be lost, where the policy says so; null: as many as their number makes sensible. */
  readonly tolerate: number | null;
  /** How files put now are stored; 0 and 0 while there are too few peers. */
  readonly k: number;
  readonly m: number;
  /** Members; those that were removed apart. */
  readonly members: number;
  readonly removed: number;
  /** Names. */
  readonly authorities: readonly string[];
  readonly backupHosts: readonly string[];
  /** This one. */
  readonly peer: PeerReply;
}

export interface PeerReply {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  readonly capacityBytes: number;
  readonly state: 'member' | 'draining' | 'removed';
  readonly backup: boolean;
  /** It has the authority's role. */
  readonly authority: boolean;
  /** Whether it answers, and after how long; null where nobody asked it. */
  readonly up: boolean | null;
  readonly latencyMs: number | null;
  /** Of its certificate. */
  readonly until: string;
}

/** A peer on its way out. */
export interface DrainReply {
  readonly peer: PeerReply;
  /** leaving: what it holds is moved; left: it was put out of the network. */
  readonly phase: 'member' | 'leaving' | 'left';
  /** It leaves even where a chunk has no other place. */
  readonly forced: boolean;
  /** Chunks that lie there and nowhere else; null: not counted yet. */
  readonly left: { readonly chunks: number; readonly bytes: number } | null;
  /** The most that was left. */
  readonly totalBytes: number;
  /** At the speed until now; null while there is none. */
  readonly secondsLeft: number | null;
  /** Of these, such as no other peer can take: each of them holds a chunk of the same stripe, or does not answer. */
  readonly staying: { readonly chunks: number; readonly bytes: number };
  /** What it waits for; null when it goes on by itself. */
  readonly reason: string | null;
}

export interface OwnRequest {
  readonly address?: string | undefined;
  readonly name?: string | undefined;
  readonly zone?: string | undefined;
  readonly capacityBytes?: number | undefined;
  readonly backup?: boolean | undefined;
}

export interface InviteRequest {
  readonly lifetimeMs?: number | undefined;
  /** Whoever joins gets the authority's role. */
  readonly authority?: boolean | undefined;
  /** For whom it is. */
  readonly note?: string | undefined;
}

export interface InvitationReply {
  readonly id: string;
  readonly note: string;
  readonly authority: boolean;
  readonly created: string;
  readonly expires: string;
  readonly state: 'open' | 'used' | 'expired';
  /** Id of the peer that joined by it; null while nobody has. */
  readonly peer: string | null;
}

export interface InvitedReply extends InvitationReply {
  /** Is shown once. */
  readonly token: string;
}
