/**
 * What the HTTP API on TCP has beyond the control API (api.ts, network-api.ts), whose routes it serves too, below /api.
 * Types only, so that the browser's code can import them.
 *
 *   GET    /api/v1/session                              → SessionReply; also without a session
 *   POST   /api/v1/session          {name, passphrase}  → SessionReply, and the cookie
 *   POST   /api/v1/session/link     {link}              → SessionReply, and the cookie
 *   DELETE /api/v1/session                              → 204: this browser only
 *   POST   /api/v1/lock             {name}              → 204: the user's keys are forgotten at this peer
 *   GET    /api/v1/sessions                             → WebSessionReply[]: browsers and tokens of the user
 *   DELETE /api/v1/sessions?id=                         → 204
 *   POST   /api/v1/tokens           TokenRequest        → TokenReply
 *   GET    /api/v1/entries?path=&offset=&limit=&order=&descending= → EntryReply[]; `x-shoal-total` counts all
 *   GET    /api/v1/search?text=&path=&limit=            → EntryReply[]
 *   GET    /api/v1/archive?path=&path=                  → a zip file, streamed
 *   GET    /api/v1/content?path=&version=&disposition=  → the bytes; ETag is the version
 *   PUT    /api/v1/content?path=                        understands If-Match and If-None-Match: *
 *   GET    /api/v1/events                               → WebEvent as server-sent events
 *   GET    /api/v1/transfers                            → TransferReply[]: those that run, and the last ones
 *   DELETE /api/v1/transfers?id=                        → 204: cancels it
 *   GET    /api/v1/settings                             → SettingReply[]
 *   PATCH  /api/v1/settings         {name: value}       → SettingReply[]; null takes one out of the file
 *   GET    /api/v1/policy                               → PolicyReply
 *   POST   /api/v1/policy           {tolerate}          → PolicyReply
 *   GET    /api/v1/history?series=a,b&from=&to=         → HistoryReply
 *   GET    /api/v1/activity?limit=                      → ActivityReply[], newest first
 *
 * Failures are a ProblemReply (api.ts). 401 UNAUTHENTICATED: sign in. 429: too many attempts, see Retry-After. A request that
 * changes something and is made by cookie needs the header `x-shoal-csrf` with SessionReply.csrf in it. Programs send
 * `Authorization: Bearer TOKEN` instead. Times are RFC 3339 in UTC, where they are not called Ms.
 */
import type { ProblemReply, StatusReply } from './api.js';
import type { UserReply } from './user-api.js';

export const CSRF_HEADER = 'x-shoal-csrf';
/** How many entries there are, of which a page is the reply. */
export const TOTAL_HEADER = 'x-shoal-total';

export interface SessionReply {
  /** null: nobody is signed in here. */
  readonly user: UserReply | null;
  readonly csrf: string | null;
  /** There is no peer in this home yet: only the routes of the set-up answer. */
  readonly setup: boolean;
  /** Of Shoal. */
  readonly version: string;
  /** When the session ends at the latest; null without one. */
  readonly expires: string | null;
}

export interface WebSessionReply {
  readonly id: string;
  readonly kind: 'browser' | 'token';
  /** Of a browser: what it calls itself. */
  readonly name: string;
  /** Name of the user. */
  readonly user: string;
  readonly scope: TokenScope;
  readonly created: string;
  readonly lastUsed: string;
  readonly expires: string;
  /** The one of this request. */
  readonly current: boolean;
}

/** read: no request that changes anything. metrics: GET /metrics alone. */
export type TokenScope = 'all' | 'read' | 'metrics';

export interface TokenRequest {
  readonly name: string;
  readonly scope: TokenScope;
  /** It is good for so many. */
  readonly days: number;
}

export interface TokenReply {
  readonly id: string;
  /** Is shown once. */
  readonly token: string;
  readonly expires: string;
}

/**
 * Reply of POST /v1/web/link {user?} on the control socket: a link that signs one browser in, once; the plain address of the
 * web UI, with null, where nobody is unlocked. GET and DELETE /v1/sessions and POST /v1/tokens are there, too.
 */
export interface LinkReply {
  readonly url: string;
  readonly expires: string | null;
}

export interface TransferReply {
  readonly id: string;
  readonly kind: 'put' | 'get' | 'archive';
  readonly path: string;
  /** Done so far. */
  readonly bytes: number;
  /** null while it is not known. */
  readonly total: number | null;
  readonly started: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** Why it failed. */
  readonly message: string | null;
}

/** Each is one server-sent event: its name is `event`, its data the JSON of the rest. */
export type WebEvent =
  | { readonly event: 'status'; readonly data: StatusReply }
  /** What is in this folder has changed, or below it. */
  | { readonly event: 'entries'; readonly data: { readonly path: string } }
  | { readonly event: 'transfer'; readonly data: TransferReply }
  /** The session has ended: sign in again. */
  | { readonly event: 'session'; readonly data: ProblemReply };

export interface SettingReply {
  readonly name: string;
  /** As JSON; null where there is none. */
  readonly value: unknown;
  readonly about: string;
  readonly source: 'default' | 'file' | 'environment';
  /** The file says something else than what is in force: it counts when the peer starts again. */
  readonly restart: boolean;
  /** By PATCH; others are for whoever can write config.json, or set by the environment. */
  readonly changeable: boolean;
}

export interface PolicyReply {
  /** Peers that may be lost; null: as many as their number makes sensible. */
  readonly tolerate: number | null;
  /** How files put now are stored; 0 and 0 while there are too few peers. */
  readonly k: number;
  readonly m: number;
  /** What could be chosen now, at most. */
  readonly mostTolerated: number;
  /** This peer has the authority's role and may change it. */
  readonly changeable: boolean;
}

export interface HistoryReply {
  readonly series: readonly {
    readonly name: string;
    readonly unit: 'bytes' | 'bytes/s' | 'files' | 'peers' | 'stripes' | 'segments/s' | 'ms';
    /** Unix time in milliseconds, value; ascending. */
    readonly points: readonly (readonly [number, number])[];
  }[];
}

export interface ActivityReply {
  readonly at: string;
  readonly kind:
    | 'peer-joined'
    | 'peer-removed'
    | 'peer-gone'
    | 'peer-back'
    | 'peer-distrusted'
    | 'peer-trusted'
    | 'user-unlocked'
    | 'user-locked'
    | 'keys-rotated'
    | 'transfer-failed'
    | 'signed-in'
    | 'refused'
    | 'repaired'
    | 'healed'
    | 'files-safe'
    | 'files-degraded'
    | 'files-at-risk'
    | 'files-lost';
  readonly text: string;
}
