/** What the API replies, under one roof: the server's own types, so that a change there is an error here. */
export type {
  DeletedReply,
  EntryReply,
  ProblemReply,
  PutReply,
  RemoveReply,
  StatusReply,
  SyncReply,
  VersionReply,
  WhereChunk,
  WhereReply,
} from '../../../src/gateways/http/api.js';
export type {
  KitReply,
  PassphraseReply,
  PassphraseRequest,
  RotationEvent,
  RotationReply,
  RotationRequest,
  SshKeyReply,
  UserReply,
} from '../../../src/gateways/http/user-api.js';
export type { AuditsReply, RepairsReply } from '../../../src/gateways/http/audit-api.js';
export type { CompactionReply } from '../../../src/gateways/http/compaction-api.js';
export type { GarbageReply } from '../../../src/gateways/http/garbage-api.js';
export type { MachineReply, SafetyReply } from '../../../src/gateways/http/safety-api.js';
export type { ScrubReply } from '../../../src/gateways/http/scrub-api.js';
export type {
  ActivityReply,
  HistoryReply,
  PolicyReply,
  SessionReply,
  SettingReply,
  TokenReply,
  TokenRequest,
  TokenScope,
  TransferReply,
  WebEvent,
  WebSessionReply,
} from '../../../src/gateways/http/web-api.js';
export type {
  DrainReply,
  InvitationReply,
  InvitedReply,
  InviteRequest,
  NetworkReply,
  OwnRequest,
  PeerReply,
} from '../../../src/gateways/http/network-api.js';
export type {
  JoinNetworkRequest,
  MadeReply,
  NewNetworkRequest,
  NewPeerRequest,
  SetupReply,
} from '../../../src/gateways/web/setup-api.js';
