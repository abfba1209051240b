import { networkInterfaces } from 'node:os';

/** As much of node:os' answer as is needed. */
export type Interfaces = Readonly<
  Record<
    string,
    readonly { readonly address: string; readonly family: string; readonly internal: boolean }[] | undefined
  >
>;

const LOOPBACK = '127.0.0.1';
/** RFC 1918: what a house or an office uses. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/;
/** RFC 3927 and RFC 4291 section 2.5.6: no other machine finds these without more. */
const LINK_LOCAL = /^(169\.254\.|fe[89ab])/i;
/** Bridges of container engines: their addresses lead nowhere from outside. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel)/;

/**
 * Where others may reach this machine, the likeliest first: addresses of a local network, then public ones, then IPv6; and
 * this machine alone at the end, so that there always is one.
 */
export function likelyAddresses(port: number, interfaces: Interfaces = networkInterfaces()): readonly string[] {
  const found = Object.entries(interfaces)
    .filter(([name]) => !VIRTUAL.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
    .map(({ address, family }) => ({
      place: family === 'IPv6' ? `[${address}]` : address,
      rank: family === 'IPv6' ? 2 : PRIVATE.test(address) ? 0 : 1,
    }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ place }) => place);
  return [...new Set([...found, LOOPBACK])].map((place) => `${place}:${String(port)}`);
}
