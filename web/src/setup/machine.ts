import type { JoinNetworkRequest, NewNetworkRequest, NewPeerRequest, SetupReply } from '../api/types.js';

/** What is typed into the form about this machine. */
export interface MachineDraft {
  readonly network: string;
  readonly token: string;
  readonly peer: string;
  readonly zone: string;
  readonly listen: string;
  readonly address: string;
  /** In GB; empty: what the disk has. */
  readonly capacity: string;
  readonly backup: boolean;
}

const GB = 1e9;
const HOST_AND_PORT = /^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i;
const LOOPBACK = /^(127\.|\[::1\]|localhost)/i;

export function draftOf(proposal: SetupReply): MachineDraft {
  const { peer, listen, addresses, roomBytes } = proposal;
  return {
    ...{ network: '', token: '', zone: '', backup: false },
    ...{ peer, listen, address: addresses[0] ?? listen },
    capacity: String(Math.max(1, Math.floor(roomBytes / GB))),
  };
}

/** Fields that cannot be sent as they are. */
export function faultsOf(draft: MachineDraft, kind: 'create' | 'join'): ReadonlySet<keyof MachineDraft> {
  const faults = new Set<keyof MachineDraft>();
  if (kind === 'create' && draft.network.trim() === '') faults.add('network');
  if (kind === 'join' && !draft.token.trim().toLowerCase().startsWith('shoal1-')) faults.add('token');
  if (draft.peer.trim() === '') faults.add('peer');
  if (!HOST_AND_PORT.test(draft.listen.trim())) faults.add('listen');
  if (!HOST_AND_PORT.test(draft.address.trim())) faults.add('address');
  if (draft.capacity !== '' && !(Number(draft.capacity) > 0)) faults.add('capacity');
  return faults;
}

/** A peer that only its own machine reaches is no use to others. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address.trim());
}

export function networkRequest(draft: MachineDraft, user: string, passphrase: string): NewNetworkRequest {
  return { ...peerRequest(draft), name: draft.network.trim(), user: user.trim(), passphrase };
}

export function joinRequest(draft: MachineDraft): JoinNetworkRequest {
  return { ...peerRequest(draft), token: draft.token.trim(), backup: draft.backup };
}

function peerRequest({ peer, listen, address, zone, capacity }: MachineDraft): NewPeerRequest {
  return {
    peer: peer.trim(),
    listen: listen.trim(),
    address: address.trim(),
    zone: zone.trim(),
    ...(capacity === '' ? {} : { capacityBytes: Math.round(Number(capacity) * GB) }),
  };
}
