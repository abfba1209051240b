import type { ComponentChildren } from 'preact';
import type { PeerReply } from '../api/types.js';
import { fingerprint, formatBytes, formatDay, formatLatency } from '../format.js';
import { NETWORK } from '../strings-network.js';
import { Button } from '../ui/button.js';
import { Badge } from '../ui/notice.js';
import { lookOf } from './peers.js';

export interface PeersProps {
  readonly members: readonly PeerReply[];
  readonly self: string;
  /** This peer may remove others. */
  readonly isAuthority: boolean;
  readonly onEdit: (peer: PeerReply) => void;
  readonly onRemove: (peer: PeerReply) => void;
}

/** Beside the map: the peer that was chosen, or the sum of all. */
export function PeerDetails({ peer, ...rest }: PeersProps & { readonly peer: PeerReply | null }) {
  return (
    <aside class="network-details" aria-live="polite">
      {peer === null ? <Totals members={rest.members} /> : <Details {...rest} peer={peer} />}
    </aside>
  );
}

function Totals({ members }: { readonly members: readonly PeerReply[] }) {
  const up = members.filter(({ up: isUp }) => isUp !== false).length;
  const room = members.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0);
  return (
    <>
      <dl class="facts">
        <Fact name={NETWORK.upNow}>
          {up} / {members.length}
        </Fact>
        <Fact name={NETWORK.totalRoom}>{formatBytes(room)}</Fact>
      </dl>
      <p class="soft small">
        {NETWORK.mapHint} {NETWORK.select}
      </p>
    </>
  );
}

function Details({ peer, self, isAuthority, onEdit, onRemove }: PeersProps & { readonly peer: PeerReply }) {
  const isSelf = peer.id === self;
  const { latencyMs } = peer;
  return (
    <>
      <div class="row">
        <h2 class="grow network-title">{peer.name}</h2>
        <StateBadge peer={peer} />
      </div>
      <dl class="facts">
        <Fact name={NETWORK.place}>{peer.zone === '' ? NETWORK.noPlace : peer.zone}</Fact>
        <Fact name={NETWORK.address}>
          <code>{peer.address}</code>
        </Fact>
        <Fact name={NETWORK.room}>{formatBytes(peer.capacityBytes)}</Fact>
        <Fact name={NETWORK.latency}>{isSelf || latencyMs === null ? '–' : formatLatency(latencyMs)}</Fact>
        <Fact name={NETWORK.roles}>{rolesOf(peer, self).join(', ') || '–'}</Fact>
        <Fact name={NETWORK.until}>{formatDay(peer.until)}</Fact>
        <Fact name={NETWORK.id}>
          <code class="small">{fingerprint(peer.id)}</code>
        </Fact>
      </dl>
      <div class="row">
        {isSelf ? (
          <Button icon="pencil" onClick={() => onEdit(peer)}>
            {NETWORK.edit}
          </Button>
        ) : null}
        {!isSelf && isAuthority ? (
          <Button icon="trash" onClick={() => onRemove(peer)}>
            {NETWORK.remove}
          </Button>
        ) : null}
      </div>
    </>
  );
}

export function StateBadge({ peer }: { readonly peer: PeerReply }) {
  const look = lookOf(peer);
  return <Badge kind={look === 'up' ? 'good' : look === 'down' ? 'bad' : 'warn'}>{NETWORK[look]}</Badge>;
}

export function rolesOf(peer: PeerReply, self: string): string[] {
  return [
    ...(peer.id === self ? [NETWORK.thisOne] : []),
    ...(peer.authority ? [NETWORK.authority] : []),
    ...(peer.backup ? [NETWORK.backup] : []),
  ];
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
