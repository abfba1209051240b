import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, StorageError } from '../errors.js';
import { MAX_KEY_GENERATIONS } from '../limits.js';
import { deriveUserKeys, newRootKey } from './root-key.js';
import { followLinks, generationOf, type KeyLink, linkTo, type Signer } from './succession.js';

interface Chain {
  readonly first: Uint8Array;
  readonly links: readonly KeyLink[];
  readonly signer: Signer;
  readonly last: Uint8Array;
}

function chainOf(generations: number): Chain {
  const { signing } = deriveUserKeys(newRootKey());
  let chain: Chain = { first: signing.publicKey, links: [], signer: signing, last: signing.publicKey };
  while (chain.links.length + 1 < generations) chain = extend(chain);
  return chain;
}

function extend({ first, links, signer }: Chain): Chain {
  const { publicKey, privateKey } = deriveUserKeys(newRootKey()).signing;
  const longer = [...links, linkTo(publicKey, signer)];
  return { first, links: longer, signer: { privateKey, publicKey: first, links: longer }, last: publicKey };
}

function refused(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => StorageError.is(error, code));
}

function flip(bytes: Uint8Array): Uint8Array {
  const altered = Uint8Array.from(bytes);
  altered[5] = (altered[5] ?? 0) ^ 1;
  return altered;
}

test('a chain leads from the first key to the last', () => {
  for (const generations of [1, 2, 5]) {
    const { first, links, last } = chainOf(generations);
    assert.equal(generationOf(links), generations);
    assert.deepEqual(followLinks(first, links), last);
    assert.deepEqual(followLinks(first, links), last, 'and again, from what is remembered');
  }
});

test('links that were forged, reordered, dropped, doubled or taken from another chain are refused', () => {
  const { first, links, signer } = chainOf(4);
  const [one, two, three] = links as [KeyLink, KeyLink, KeyLink];
  const stranger = chainOf(4);
  const [strange, stranger2] = stranger.links as [KeyLink, KeyLink];
  const broken: Readonly<Record<string, readonly KeyLink[]>> = {
    'another key': [one, { ...two, publicKey: flip(two.publicKey) }, three],
    'another signature': [one, { ...two, signature: flip(two.signature) }, three],
    'a key of the wrong length': [one, { ...two, publicKey: new Uint8Array(0) }, three],
    reordered: [two, one, three],
    'first dropped': [two, three],
    'middle dropped': [one, three],
    doubled: [one, one, two, three],
    'another chain': [strange],
    'another chain behind ours': [one, stranger2],
    'signed by the key before the last': [one, two, linkTo(three.publicKey, { ...signer, links: [one, two] })],
  };
  for (const [name, chain] of Object.entries(broken)) {
    assert.throws(() => followLinks(first, chain), { code: 'PERMISSION_DENIED' }, name);
  }
  refused(() => followLinks(stranger.first, links), 'PERMISSION_DENIED');
  assert.deepEqual(followLinks(first, [one, two]), two.publicKey, 'the beginning of a chain is one');
});

test('a chain is bounded, for who makes it and for who reads it', () => {
  const longest = chainOf(MAX_KEY_GENERATIONS);
  assert.deepEqual(followLinks(longest.first, longest.links), longest.last);
  refused(() => extend(longest), 'LIMIT_EXCEEDED');
  const [link] = longest.links as [KeyLink];
  refused(() => followLinks(longest.first, Array<KeyLink>(MAX_KEY_GENERATIONS).fill(link)), 'LIMIT_EXCEEDED');
});
