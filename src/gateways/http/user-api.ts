/**
 * Users and their secrets, as a part of the control API: see api.ts. Types only, so that the command line and browsers can
 * import them.
 *
 *   GET    /v1/users                                   → UserReply[]
 *   POST   /v1/users              {name, passphrase}   → UserReply
 *   POST   /v1/unlock             {name, passphrase}   → UserReply
 *   POST   /v1/lock               {name}               → 204
 *   POST   /v1/users/passphrase   {old} & PassphraseRequest → PassphraseReply
 *   POST   /v1/users/kit          {name, passphrase}   → KitReply
 *   POST   /v1/users/recover      {words} & PassphraseRequest → PassphraseReply
 *   GET    /v1/users/ssh-keys?name=                    → SshKeyReply[]
 *   POST   /v1/users/ssh-keys     {name, passphrase, key, label?} → SshKeyReply[]
 *   POST   /v1/users/ssh-keys/removal {name, passphrase, which} → SshKeyReply[]: those that are left
 *   GET    /v1/keys                                    → RotationReply
 *   POST   /v1/keys               RotationRequest      → RotationEvent lines; closing the connection pauses the work
 *   POST   /v1/users/adopt        {name} or {id}       → UserReply: asks the other peers who that is
 */
import type { ProblemReply } from './api.js';

export interface UserReply {
  readonly id: string;
  readonly name: string;
  readonly unlocked: boolean;
  /** Of the keys, from 1. */
  readonly generation: number;
  /** There is a recovery kit. */
  readonly kit: boolean;
}

/** A secret of a user was replaced. */
export interface ChangeReply {
  readonly user: UserReply;
  /** Names of the backup hosts that have not taken the change yet. */
  readonly pendingHosts: readonly string[];
}

export interface PassphraseRequest {
  /** Of the user. */
  readonly name: string;
  readonly next: string;
  /** The tokens of the user's programs at this peer end, but for the one that asks. */
  readonly revokeTokens?: boolean | undefined;
}

/** All browsers of the user but the one that asked are signed out at this peer, and so is whoever came to SFTP by a passphrase. */
export interface PassphraseReply extends ChangeReply {
  /** Of the user's programs at this peer, that are still good. */
  readonly tokens: number;
}

export interface KitReply extends ChangeReply {
  readonly words: readonly string[];
  /** Name of the network. */
  readonly network: string;
  readonly created: string;
}

/** A key by which a user logs in over SFTP. */
export interface SshKeyReply {
  /** "SHA256:…", as ssh-keygen -l shows it. */
  readonly fingerprint: string;
  /** "ssh-ed25519". */
  readonly algorithm: string;
  readonly name: string;
  readonly added: string;
}

export interface RotationReply {
  readonly generation: number;
  readonly state: 'none' | 'running';
  /** Entries of the catalog under the newest keys, and all of them. */
  readonly done: number;
  readonly total: number;
}

export interface RotationRequest {
  readonly passphrase: string;
  /** Absent: as fast as it goes. */
  readonly entriesPerSecond?: number | undefined;
  /** As in PassphraseRequest. */
  readonly revokeTokens?: boolean | undefined;
}

export type RotationEvent =
  /** The new keys are valid from here on: who else was signed in is not any more, as after a new passphrase. */
  | { readonly event: 'replaced'; readonly tokens: number }
  | ({ readonly event: 'rotation' } & RotationReply)
  | ({ readonly event: 'done' } & RotationReply)
  | ({ readonly event: 'error' } & ProblemReply);
