import type { PeerReply } from '../api/types.js';
import { formatBytes, formatLatency } from '../format.js';
import { NETWORK } from '../strings-network.js';
import { IconButton } from '../ui/button.js';
import { openMenu, type MenuItem } from '../ui/menu.js';
import { rolesOf, StateBadge, type PeersProps } from './peer-details.js';

/** Every member in words. */
export function MachineList({ members, self, isAuthority, onEdit, onRemove }: PeersProps) {
  const { columns } = NETWORK;
  const itemsOf = (peer: PeerReply): MenuItem[] => [
    ...(peer.id === self ? [{ label: NETWORK.edit, icon: 'pencil', run: () => onEdit(peer) } as const] : []),
    ...(peer.id !== self && isAuthority
      ? [{ label: NETWORK.remove, icon: 'trash', danger: true, run: () => onRemove(peer) } as const]
      : []),
  ];
  return (
    <section class="card">
      <h2>{NETWORK.machines}</h2>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{columns.name}</th>
            <th scope="col" class="table-wide">
              {columns.zone}
            </th>
            <th scope="col">{columns.state}</th>
            <th scope="col" class="table-wide table-number">
              {columns.room}
            </th>
            <th scope="col" class="table-wide table-number">
              {columns.latency}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {members.map((peer) => (
            <tr key={peer.id}>
              <th scope="row">
                {peer.name}
                <div class="soft small">{rolesOf(peer, self).join(', ')}</div>
              </th>
              <td class="table-wide">{peer.zone === '' ? NETWORK.noPlace : peer.zone}</td>
              <td>
                <StateBadge peer={peer} />
              </td>
              <td class="table-wide table-number">{formatBytes(peer.capacityBytes)}</td>
              <td class="table-wide table-number">
                {peer.latencyMs === null || peer.id === self ? '–' : formatLatency(peer.latencyMs)}
              </td>
              <td class="table-actions">
                {itemsOf(peer).length === 0 ? null : (
                  <IconButton
                    icon="dots"
                    label={NETWORK.actions(peer.name)}
                    onClick={(event) => {
                      openMenu(NETWORK.actions(peer.name), itemsOf(peer), event.currentTarget as HTMLElement);
                    }}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
