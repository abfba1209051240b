import { isIPv6 } from 'node:net';

/** Of eight: what a provider gives one customer at least (RFC 6177), who may take any address of it at any time. */
const GROUPS = 4;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Whom an address is counted as: an IPv4 address as itself, also where it comes as IPv6 (RFC 4291 section 2.5.5.2); an IPv6
 * address as its first 64 bits.
 *
 * @param address as `socket.remoteAddress`
 */
export function addressBlock(address: string): string {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%', 1);
  return isIPv6(plain) ? `${groupsOf(plain).slice(0, GROUPS).join(':')}::/64` : address;
}

/** All eight, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::', 2);
  const before = split(head);
  const after = tail === undefined ? [] : split(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...(tail === undefined ? [] : zeros), ...after];
}

function split(part: string): string[] {
  if (part === '') return [];
  // An IPv4 address at the end is two groups, and far behind the first four.
  return part
    .split(':')
    .flatMap((group) => (group.includes('.') ? ['0', '0'] : [Number.parseInt(group, 16).toString(16)]));
}
