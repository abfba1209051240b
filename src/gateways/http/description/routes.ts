import { z } from 'zod';
import { NETWORK_REQUESTS } from '../network-routes.js';
import { RECORD_REQUESTS } from '../record-routes.js';
import { REQUESTS } from '../requests.js';
import { SCRUB_REQUESTS } from '../scrub-routes.js';
import { SETTINGS_REQUESTS } from '../settings-routes.js';
import { SSH_KEY_REQUESTS } from '../ssh-key-routes.js';
import { SESSION_REQUESTS } from '../../web/session-routes.js';
import { LINK } from '../../web/sign-in-routes.js';
import { AUDIT_REQUESTS } from '../audit-routes.js';
import { COMPACTION_REQUESTS } from '../compaction-routes.js';
import { GARBAGE_REQUESTS } from '../garbage-routes.js';
import { HOLDINGS_REQUESTS } from '../holdings-routes.js';
import { REPAIR_REQUESTS } from '../repair-routes.js';
import { SAFETY_REQUESTS } from '../status-routes.js';
import type { Described } from './described.js';
import * as compaction from './compaction-replies.js';
import * as files from './file-replies.js';
import * as garbage from './garbage-replies.js';
import * as healing from './healing-replies.js';
import * as peers from './peer-replies.js';
import * as safety from './safety-replies.js';
import * as users from './user-replies.js';

const LINES = 'application/x-ndjson';
const ID = z.strictObject({ id: z.string().min(1).max(64) });
const OCTETS = 'application/octet-stream';

/** Every route of the API on TCP, by method and path: web-api.ts and api.ts as OpenAPI tells them. */
export const ROUTES: Readonly<Record<string, Described>> = {
  'GET /v1/stat': { tag: 'Files', about: 'One file or folder', query: REQUESTS.path, reply: files.ENTRY },
  'GET /v1/entries': {
    ...{ tag: 'Files', about: 'What is in a folder; the header x-shoal-total counts all of it' },
    ...{ query: REQUESTS.tree, reply: z.array(files.ENTRY) },
  },
  'GET /v1/search': {
    ...{ tag: 'Files', about: 'Files and folders by words in their names' },
    ...{ query: REQUESTS.search, reply: z.array(files.ENTRY) },
  },
  'DELETE /v1/entries': {
    ...{ tag: 'Files', about: 'Removes a file, or a folder with `recursive`; into the trash unless `forever`' },
    ...{ query: REQUESTS.removal, reply: files.REMOVED },
  },
  'POST /v1/folders': { tag: 'Files', about: 'Makes a folder', body: REQUESTS.path },
  'POST /v1/move': { tag: 'Files', about: 'Renames or moves', body: REQUESTS.move },
  'GET /v1/versions': {
    ...{ tag: 'Files', about: 'The versions of a file', query: REQUESTS.path },
    reply: z.array(files.VERSION),
  },
  'POST /v1/restore': {
    ...{ tag: 'Files', about: 'Takes back what was removed, or makes an old version the newest' },
    ...{ body: REQUESTS.file, reply: files.ENTRY },
  },
  'GET /v1/trash': { tag: 'Files', about: 'What is in the trash', reply: z.array(files.DELETED) },
  'DELETE /v1/trash': {
    ...{ tag: 'Files', about: 'Removes for ever what is in the trash' },
    ...{ query: REQUESTS.trash, reply: files.REMOVED },
  },
  'GET /v1/where': {
    ...{ tag: 'Files', about: 'Which peer holds which chunk of which stripe of a file' },
    ...{ query: REQUESTS.file, reply: files.WHERE },
  },
  'GET /v1/content': {
    ...{ tag: 'Files', about: 'The bytes of a file; ranges and conditions as in RFC 9110, the ETag is the version' },
    ...{ query: REQUESTS.content, stream: { type: OCTETS } },
    also: { 206: 'A range', 304: 'Not modified', 412: 'A condition does not hold', 416: 'No such range' },
  },
  'HEAD /v1/content': {
    ...{ tag: 'Files', about: 'What GET would reply, without the bytes' },
    ...{ query: REQUESTS.content, stream: { type: OCTETS } },
  },
  'PUT /v1/content': {
    ...{ tag: 'Files', about: 'Stores a file, or a new version of it; understands If-Match and If-None-Match' },
    ...{ query: REQUESTS.upload, bytes: OCTETS, reply: files.PUT, also: { 412: 'A condition does not hold' } },
  },
  'GET /v1/archive': {
    ...{ tag: 'Files', about: 'Files and folders as one zip file' },
    ...{ query: REQUESTS.archive, stream: { type: 'application/zip' } },
  },
  'GET /v1/transfers': {
    ...{ tag: 'Files', about: 'Uploads and downloads that run, and the last that have ended' },
    reply: z.array(users.TRANSFER),
  },
  'DELETE /v1/transfers': { tag: 'Files', about: 'Cancels one', query: ID },
  'GET /v1/events': {
    ...{ tag: 'Files', about: 'Server-sent events: status, entries, transfer, session' },
    stream: { type: 'text/event-stream' },
  },
  'POST /v1/recovery': {
    ...{ tag: 'Files', about: 'Brings back what the databases have lost, from what lies on the peers' },
    ...{ body: REQUESTS.catalogRecovery, stream: { type: LINES, of: files.RECOVERY_EVENT } },
  },

  'GET /v1/uploads': { tag: 'Uploads', about: 'Uploads that are not whole yet', reply: z.array(files.UPLOAD) },
  'POST /v1/uploads': {
    ...{ tag: 'Uploads', about: 'Begins a resumable upload: tus 1.0, https://tus.io' },
    also: { 201: 'The header Location says where' },
  },
  'OPTIONS /v1/uploads': { tag: 'Uploads', about: 'What of tus is understood', open: true },
  'HEAD /v1/uploads/:id': {
    ...{ tag: 'Uploads', about: 'How far an upload is', params: ID },
    also: { 200: 'The header Upload-Offset says it' },
  },
  'PATCH /v1/uploads/:id': {
    ...{ tag: 'Uploads', about: 'More bytes of an upload', params: ID },
    bytes: 'application/offset+octet-stream',
  },
  'DELETE /v1/uploads/:id': { tag: 'Uploads', about: 'Gives an upload up', params: ID },

  'GET /v1/session': { tag: 'Sessions', about: 'Who is signed in', reply: users.SESSION_REPLY, open: true },
  'POST /v1/session': {
    ...{ tag: 'Sessions', about: 'Signs a browser in, and unlocks the user at this peer' },
    ...{ body: REQUESTS.credentials, reply: users.SESSION_REPLY, open: true },
    also: { 429: 'Too many attempts: see Retry-After' },
  },
  'POST /v1/session/link': {
    ...{ tag: 'Sessions', about: 'Signs a browser in by a one-time link: `shoal web`' },
    ...{ body: LINK, reply: users.SESSION_REPLY, open: true, also: { 429: 'Too many attempts: see Retry-After' } },
  },
  'DELETE /v1/session': { tag: 'Sessions', about: 'Signs this browser out' },
  'GET /v1/sessions': {
    ...{ tag: 'Sessions', about: 'Browsers and tokens of the user', reply: z.array(users.WEB_SESSION) },
  },
  'DELETE /v1/sessions': {
    ...{ tag: 'Sessions', about: 'Signs a browser out, or revokes a token' },
    query: SESSION_REQUESTS.id,
  },
  'POST /v1/tokens': {
    ...{ tag: 'Sessions', about: 'Makes a token for a program' },
    ...{ body: SESSION_REQUESTS.token, reply: users.TOKEN_REPLY },
  },

  'GET /v1/users': { tag: 'Users', about: 'The users of the network', reply: z.array(users.USER) },
  'POST /v1/users': { tag: 'Users', about: 'Makes a user', body: REQUESTS.credentials, reply: users.USER },
  'POST /v1/lock': {
    ...{ tag: 'Users', about: 'The keys of the user leave the memory of this peer', body: REQUESTS.name },
  },
  'POST /v1/users/passphrase': {
    ...{ tag: 'Users', about: 'Changes the passphrase' },
    ...{ body: REQUESTS.passphrase, reply: users.PASSPHRASE },
  },
  'POST /v1/users/kit': {
    ...{ tag: 'Users', about: 'Makes a new recovery kit' },
    ...{ body: REQUESTS.credentials, reply: users.KIT },
  },
  'POST /v1/users/recover': {
    ...{ tag: 'Users', about: 'A new passphrase by the words of the kit' },
    ...{ body: REQUESTS.recovery, reply: users.PASSPHRASE, open: true },
  },
  'POST /v1/users/adopt': {
    ...{ tag: 'Users', about: 'Asks the other peers for a user whom this one does not know' },
    ...{ body: REQUESTS.adoption, reply: users.USER },
  },
  'GET /v1/keys': { tag: 'Users', about: 'How far the keys are rotated', reply: users.ROTATION },
  'POST /v1/keys': {
    ...{ tag: 'Users', about: 'Gives the user new keys; leaving pauses it' },
    ...{ body: REQUESTS.rotation, stream: { type: LINES, of: users.ROTATION_EVENT } },
  },
  'GET /v1/users/ssh-keys': {
    ...{ tag: 'Users', about: 'Keys by which the user comes in over SFTP' },
    ...{ query: SSH_KEY_REQUESTS.list, reply: z.array(users.SSH_KEY) },
  },
  'POST /v1/users/ssh-keys': {
    ...{ tag: 'Users', about: 'Adds one', body: SSH_KEY_REQUESTS.add, reply: z.array(users.SSH_KEY) },
  },
  'POST /v1/users/ssh-keys/removal': {
    ...{ tag: 'Users', about: 'Removes one', body: SSH_KEY_REQUESTS.remove, reply: z.array(users.SSH_KEY) },
  },

  'GET /v1/network': { tag: 'Network', about: 'The network', reply: peers.NETWORK },
  'GET /v1/peers': { tag: 'Network', about: 'Its peers', reply: z.array(peers.PEER) },
  'POST /v1/peers/remove': {
    ...{ tag: 'Network', about: 'Puts a peer out for good', body: NETWORK_REQUESTS.peer, reply: peers.PEER },
  },
  'POST /v1/peers/drain': {
    ...{ tag: 'Network', about: 'Has a peer leave when the others have what it holds; or, with `cancel`, it stays' },
    ...{ body: NETWORK_REQUESTS.drain, reply: peers.DRAIN },
  },
  'GET /v1/peers/drain': {
    ...{
      tag: 'Network',
      about: 'How far a peer is that is to leave',
      query: NETWORK_REQUESTS.peer,
      reply: peers.DRAIN,
    },
  },
  'POST /v1/peer': {
    ...{ tag: 'Network', about: 'Changes what the network knows of this peer' },
    ...{ body: NETWORK_REQUESTS.own, reply: peers.PEER },
  },
  'GET /v1/invitations': { tag: 'Network', about: 'Invitations of this peer', reply: z.array(peers.INVITATION) },
  'POST /v1/invitations': {
    ...{ tag: 'Network', about: 'Invites a machine', body: NETWORK_REQUESTS.invite, reply: peers.INVITED },
  },
  'DELETE /v1/invitations': { tag: 'Network', about: 'Revokes an invitation', query: NETWORK_REQUESTS.invitation },
  'GET /v1/policy': { tag: 'Network', about: 'How many peers may be lost', reply: peers.POLICY },
  'POST /v1/policy': {
    ...{ tag: 'Network', about: 'Changes that, for what is put from now on' },
    ...{ body: SETTINGS_REQUESTS.policy, reply: peers.POLICY },
  },

  'GET /v1/live': { tag: 'Peer', about: 'Answers while the process lives', open: true },
  'GET /v1/health': { tag: 'Peer', about: 'Whether all that the process needs answers', reply: peers.HEALTH },
  'GET /v1/status': { tag: 'Peer', about: 'How the peer and its network are', reply: peers.STATUS },
  'GET /v1/metrics': { tag: 'Peer', about: 'For Prometheus', stream: { type: 'text/plain' } },
  'GET /v1/audits': { tag: 'Peer', about: 'How other peers have stood audits', reply: healing.AUDITS },
  'POST /v1/audits': {
    ...{ tag: 'Peer', about: 'Audits other peers now' },
    ...{ body: AUDIT_REQUESTS.run, stream: { type: LINES, of: healing.AUDIT_EVENT } },
  },
  'GET /v1/safety': {
    ...{ tag: 'Files', about: 'How safe the files are, what may still fail, and which files are at risk' },
    ...{ query: SAFETY_REQUESTS.safety, reply: safety.SAFETY },
  },
  'GET /v1/holdings': { tag: 'Peer', about: 'What peers say they hold, and when they said it', reply: safety.HOLDINGS },
  'POST /v1/holdings': {
    ...{ tag: 'Peer', about: 'Asks all peers now what they hold, and compares it with the records' },
    ...{ body: HOLDINGS_REQUESTS.run, stream: { type: LINES, of: safety.HOLDINGS_EVENT } },
  },
  'GET /v1/repairs': { tag: 'Peer', about: 'What is to be repaired, and how long that takes', reply: healing.REPAIRS },
  'POST /v1/repairs': {
    ...{ tag: 'Peer', about: 'Repairs now whatever can be: chunks without a good holder are rebuilt elsewhere' },
    ...{ body: REPAIR_REQUESTS.run, stream: { type: LINES, of: healing.REPAIR_EVENT } },
  },
  'GET /v1/garbage': {
    ...{ tag: 'Peer', about: 'What peers hold for nothing, and what they are still to delete', reply: garbage.GARBAGE },
  },
  'POST /v1/garbage': {
    ...{ tag: 'Peer', about: 'Asks all peers now what they hold of the user, and deletes what may be deleted' },
    ...{ body: GARBAGE_REQUESTS.collect, stream: { type: LINES, of: garbage.GARBAGE_EVENT } },
  },
  'GET /v1/compaction': {
    ...{ tag: 'Peer', about: 'How much nobody needs of stripes that are needed, as of the last look' },
    reply: compaction.COMPACTION,
  },
  'POST /v1/compaction': {
    ...{ tag: 'Peer', about: 'Stores anew now what is needed of stripes of which little is; leaving ends it' },
    ...{ body: COMPACTION_REQUESTS.compact, stream: { type: LINES, of: compaction.COMPACTION_EVENT } },
  },
  'GET /v1/scrub': { tag: 'Peer', about: 'How the scrub of this disk stands', reply: peers.SCRUB },
  'POST /v1/scrub': {
    ...{ tag: 'Peer', about: 'Reads every chunk of this disk now, and mends what has rotted; leaving ends it' },
    ...{ body: SCRUB_REQUESTS.run, stream: { type: LINES, of: peers.SCRUB_EVENT } },
  },
  'GET /v1/settings': { tag: 'Peer', about: 'The settings of this peer', reply: z.array(peers.SETTING) },
  'PATCH /v1/settings': {
    ...{ tag: 'Peer', about: 'Changes settings, for the next start' },
    ...{ body: SETTINGS_REQUESTS.settings, reply: z.array(peers.SETTING) },
  },
  'GET /v1/history': {
    ...{ tag: 'Peer', about: 'What was measured', query: RECORD_REQUESTS.history, reply: peers.HISTORY },
  },
  'GET /v1/activity': {
    ...{ tag: 'Peer', about: 'What happened', query: RECORD_REQUESTS.activity, reply: z.array(peers.ACTIVITY) },
  },
};
