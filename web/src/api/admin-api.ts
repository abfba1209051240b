import { call, send, type Call } from './client.js';
import { linesOf } from './lines.js';
import type {
  ActivityReply,
  DrainReply,
  HistoryReply,
  InvitationReply,
  InvitedReply,
  InviteRequest,
  KitReply,
  NetworkReply,
  OwnRequest,
  PassphraseReply,
  PassphraseRequest,
  PeerReply,
  PolicyReply,
  RotationEvent,
  RotationReply,
  RotationRequest,
  SettingReply,
  SshKeyReply,
  TokenReply,
  TokenRequest,
  UserReply,
  WebSessionReply,
} from './types.js';

type Option = Pick<Call, 'signal'>;

/** The network and its peers: network-api.ts. */
export const peersApi = {
  network: (option: Option = {}) => call<NetworkReply>('GET', '/network', option),
  peers: (option: Option = {}) => call<PeerReply[]>('GET', '/peers', option),
  drain: (peer: string, option: Option = {}) => call<DrainReply>('GET', '/peers/drain', { ...option, query: { peer } }),
  remove: (peer: string) => call<PeerReply>('POST', '/peers/remove', { body: { peer } }),
  setOwn: (changes: OwnRequest) => call<PeerReply>('POST', '/peer', { body: changes }),
  invitations: (option: Option = {}) => call<InvitationReply[]>('GET', '/invitations', option),
  invite: (request: InviteRequest) => call<InvitedReply>('POST', '/invitations', { body: request }),
  revoke: (id: string) => call<undefined>('DELETE', '/invitations', { query: { id } }),
  policy: (option: Option = {}) => call<PolicyReply>('GET', '/policy', option),
  setPolicy: (tolerate: number | null) => call<PolicyReply>('POST', '/policy', { body: { tolerate } }),
};

/** Users and their secrets: api.ts. */
export const usersApi = {
  list: (option: Option = {}) => call<UserReply[]>('GET', '/users', option),
  create: (name: string, passphrase: string) => call<UserReply>('POST', '/users', { body: { name, passphrase } }),
  changePassphrase: (change: PassphraseRequest & { readonly old: string }) =>
    call<PassphraseReply>('POST', '/users/passphrase', { body: change }),
  makeKit: (name: string, passphrase: string) => call<KitReply>('POST', '/users/kit', { body: { name, passphrase } }),
  keys: (option: Option = {}) => call<RotationReply>('GET', '/keys', option),
  /** New keys; goes on as long as it is read. Leaving off pauses it until the next unlock. */
  async *rotateKeys(request: RotationRequest, signal: AbortSignal): AsyncGenerator<RotationEvent> {
    const response = await send('POST', '/keys', { body: request, signal });
    yield* linesOf<RotationEvent>(response);
  },
  sshKeys: (name: string, option: Option = {}) =>
    call<SshKeyReply[]>('GET', '/users/ssh-keys', { query: { name }, ...option }),
  addSshKey: (name: string, passphrase: string, key: string) =>
    call<SshKeyReply[]>('POST', '/users/ssh-keys', { body: { name, passphrase, key } }),
  removeSshKey: (name: string, passphrase: string, which: string) =>
    call<SshKeyReply[]>('POST', '/users/ssh-keys/removal', { body: { name, passphrase, which } }),
};

/** This peer's web server and settings, and what it remembers: web-api.ts. */
export const ownApi = {
  sessions: (option: Option = {}) => call<WebSessionReply[]>('GET', '/sessions', option),
  endSession: (id: string) => call<undefined>('DELETE', '/sessions', { query: { id } }),
  makeToken: (request: TokenRequest) => call<TokenReply>('POST', '/tokens', { body: request }),
  settings: (option: Option = {}) => call<SettingReply[]>('GET', '/settings', option),
  setSetting: (name: string, value: unknown) => call<SettingReply[]>('PATCH', '/settings', { body: { [name]: value } }),
  history: (series: readonly string[], { fromMs, ...option }: Option & { readonly fromMs: number }) =>
    call<HistoryReply>('GET', '/history', { query: { series: series.join(','), from: fromMs }, ...option }),
  activity: (limit: number, option: Option = {}) =>
    call<ActivityReply[]>('GET', '/activity', { query: { limit }, ...option }),
};
