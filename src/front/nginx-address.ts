import { block, type Block } from './nginx-text.js';

/** Whom nginx counts a client as. */
export const ADDRESS_VARIABLE = '$shoal_address';

const GROUP = '[0-9a-f]{1,4}';
const groups = (count: number, name: string): string =>
  `(?<${name}>${Array.from({ length: count }, () => GROUP).join(':')})`;
/** What follows the first 64 bits where a "::" before it stands for two or three zeros. */
const REST = `(?::${GROUP}){4}$`;

/**
 * An IPv4 address as itself, also where it comes as IPv6; of an IPv6 address the first 64 bits, as wire/address-block.ts. nginx
 * can cut no bytes, so this reads its text, in which "::" stands for the longest run of zeros, of two at least.
 */
const BLOCKS: readonly (readonly [form: string, counted: string])[] = [
  ['^::ffff:(?<v4>[0-9.]+)$', '$v4'],
  [`^${groups(4, 'four')}:`, '$four'],
  [`^${groups(1, 'first')}::${groups(1, 'fourth')}${REST}`, '$first:0:0:$fourth'],
  [`^::${groups(2, 'third')}${REST}`, '0:0:$third'],
  [`^::${groups(1, 'last')}${REST}`, '0:0:0:$last'],
  [`^${groups(3, 'three')}::`, '$three:0'],
  [`^${groups(2, 'two')}::`, '$two:0:0'],
  [`^${groups(1, 'one')}::`, '$one:0:0:0'],
  ['^::', '0:0:0:0'],
];

export function addressMap(): Block {
  return block(
    ['map', '$remote_addr', ADDRESS_VARIABLE],
    [['default', '$remote_addr'], ...BLOCKS.map(([form, counted]) => [`"~${form}"`, counted] as const)],
  );
}
