/** What the switch of the lab needs of an IP packet. */
const IPV4_DESTINATION = 16;
const IPV6_DESTINATION = 24;

/** @returns the destination's bytes in hex: 8 digits for IPv4 (RFC 791), 32 for IPv6 (RFC 8200); undefined for anything else */
export function destinationOf(packet: Buffer): string | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4 && packet.length >= 20) return packet.toString('hex', IPV4_DESTINATION, IPV4_DESTINATION + 4);
  if (version === 6 && packet.length >= 40) return packet.toString('hex', IPV6_DESTINATION, IPV6_DESTINATION + 16);
  return undefined;
}

/** An address as destinationOf gives it: dotted IPv4, or IPv6 with at most one `::` and no dots. */
export function addressKey(address: string): string {
  if (address.includes('.')) {
    return address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('');
  }
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] =>
    text === '' ? [] : text.split(':').map((group) => group.padStart(4, '0'));
  const first = groups(head);
  const last = groups(tail ?? '');
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0000');
  return [...first, ...(tail === undefined ? [] : zeros), ...last].join('');
}
