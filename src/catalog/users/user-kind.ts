import { decodeSigned, type RecordKind } from '../records/record-kind.js';
import { isSuccessor, readUser, userCounter, type UserDocument, userDocumentId } from './user-document.js';

const WHAT = 'user document';

/** Users among the records of the network: signed by the user alone, counted by root key and version. */
export const userKind: RecordKind<UserDocument> = {
  type: 'user',
  what: WHAT,
  ids: /^user-[0-9a-f]{64}$/,
  open(signed) {
    const user = readUser(signed);
    const { body } = decodeSigned(WHAT, signed);
    return { id: userDocumentId(user.owner), counter: userCounter(user), body, signed, record: user };
  },
  follows: isSuccessor,
};
