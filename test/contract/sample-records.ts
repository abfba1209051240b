import { NetworkDocuments } from '../../src/catalog/records/network-documents.js';
import {
  NETWORK_RECORD_ID,
  peerRecordId,
  peerStateRecordId,
  writeNetwork,
  writePeer,
  writePeerState,
} from '../../src/catalog/records/network-records.js';
import type { Membership, RecordSigner } from '../../src/catalog/records/membership.js';
import { toRecordDocument } from '../../src/catalog/records/record-kind.js';
import { RecordProblems } from '../../src/catalog/records/record-problems.js';
import type { Document, DocumentDatabase } from '../../src/documents/document-database.js';
import { silentLogger } from '../../src/log.js';
import type { PeerRecord } from '../../src/peers/peer-record.js';
import { RecordMemory } from '../../src/store/record-memory.js';
import { profileOf } from './sample-network.js';

/** What may be wrong with a record: whose network it names, who signed it, whose certificate it carries. */
export interface SampleRecord {
  readonly counter: number;
  readonly network?: string;
  readonly sign?: RecordSigner;
}

export function networkDocument(by: Membership, { counter, network = by.network, sign }: SampleRecord): Document {
  const signer = sign ?? by.signAsAuthority ?? by.signAsPeer;
  const issue = { counter, issuedMs: counter, sign: signer };
  const signed = writeNetwork({ name: 'sample', tolerate: counter, authorities: [] }, network, issue);
  return toRecordDocument('network', NETWORK_RECORD_ID, signed);
}

/** The port tells one counter from another. */
export function peerDocument(by: Membership, { counter, network = by.network, sign }: SampleRecord): Document {
  const issue = { counter, issuedMs: counter, sign: sign ?? by.signAsPeer };
  return toRecordDocument('peer', peerRecordId(by.peer), writePeer(profileOf(by, counter), network, issue));
}

export function stateDocument(
  by: Membership,
  about: Membership,
  { counter, state, sign }: SampleRecord & Pick<PeerRecord, 'state'>,
): Document {
  const issue = { counter, issuedMs: counter, sign: sign ?? by.signAsAuthority ?? by.signAsPeer };
  const signed = writePeerState({ peer: about.peer, state }, by.network, issue);
  return toRecordDocument('peer-state', peerStateRecordId(about.peer), signed);
}

export interface SampleReader extends AsyncDisposable {
  readonly documents: NetworkDocuments;
  readonly problems: RecordProblems;
  readonly memory: RecordMemory;
}

/** What a member makes of a database, with what it remembers in a folder. */
export async function openReader(
  membership: Membership,
  database: DocumentDatabase,
  folder: string,
  now: () => number = Date.now,
): Promise<SampleReader> {
  const memory = await RecordMemory.open(folder);
  const problems = new RecordProblems(silentLogger());
  const documents = new NetworkDocuments({ database, membership, memory, problems, now });
  return { documents, problems, memory, [Symbol.asyncDispose]: () => memory.close() };
}
