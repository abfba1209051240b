import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StatusReply } from '../api/types.js';
import { problemsOf } from './problems.js';

const STATUS = {
  ...{ peers: [], missing: [], problems: [], safety: null, store: { freeBytes: 9e9, reserveBytes: 0 } },
  sync: { error: null, streams: [], damaged: [] },
} as unknown as StatusReply;

function told(status: Partial<StatusReply>): string[] {
  const known = { status: { ...STATUS, ...status }, peers: [], audits: null, scrub: null };
  return problemsOf(known, 0).map(({ tone, title, hint }) => `${tone}: ${title}. ${hint}`);
}

it('has nothing to say of what is well, and says what is not known', () => {
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({ sync: { error: 'PouchDB hosting does not answer.', streams: [], damaged: [] } }), [
    'bad: Whether the catalog is being copied is not known. PouchDB hosting does not answer.',
  ]);
});
