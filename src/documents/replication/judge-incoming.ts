import { AUTHORITY_ROLE, NETWORK_DATABASE, PEER_ROLE } from '../../chunk/database-names.js';
import { type Refusal, validate } from '../rules/validate.js';
import { type JudgeIncoming, replaces } from './level-endpoint.js';

function forbid(reason: string): never {
  const refusal: Refusal = { forbidden: reason };
  throw Object.assign(new Error(reason), refusal);
}

/**
 * What a peer takes of what a host gives it: what the one policy allows, and nothing that would put something else in the
 * place of a document that it can read. Who wrote a document is not the host's to say: that is for readers to check.
 */
export function judgeIncoming(database: string): JudgeIncoming {
  const context = { db: database, name: null, roles: [PEER_ROLE, AUTHORITY_ROLE] };
  return (newDoc, oldDoc, held) => {
    validate(newDoc, oldDoc, context);
    if (held === undefined) return;
    // A branch of its own, whatever its generation, has no ancestor here: it is measured against what is read.
    validate(newDoc, held, context);
    const isLast = newDoc._deleted === true && replaces(newDoc, held) && (held._conflicts ?? []).length === 0;
    if (isLast && database === NETWORK_DATABASE) forbid('A record of the network is replaced, never deleted.');
  };
}
