import type { PeerReply, SyncReply } from '../api/types.js';
import { counted, formatAgo } from '../format.js';
import { NETWORK } from '../strings-network.js';
import { Badge, Notice } from '../ui/notice.js';
import { syncByHost, type HostSync } from './peers.js';

interface BackupHostsProps {
  readonly sync: SyncReply;
  readonly members: readonly PeerReply[];
}

/** How this peer's catalog stands with those that keep everybody's. */
export function BackupHosts({ sync, members }: BackupHostsProps) {
  const hosts = syncByHost(sync).filter(({ host }) => members.some(({ id }) => id === host));
  return (
    <section class="card">
      <h2>{NETWORK.backupTitle}</h2>
      <p class="soft small">{NETWORK.backupLead}</p>
      {sync.error === null ? null : <Notice kind="bad">{sync.error}</Notice>}
      {hosts.length === 0 ? <Notice kind="warn">{NETWORK.noBackup}</Notice> : null}
      <ul class="plain-list">
        {hosts.map((host) => (
          <li class="plain-item" key={host.host}>
            <div class="grow">
              <div>{host.name}</div>
              <div class="soft small">
                {host.error ?? (host.lastSuccessMs === null ? '' : NETWORK.lastSuccess(formatAgo(host.lastSuccessMs)))}
              </div>
            </div>
            <SyncBadge host={host} />
          </li>
        ))}
      </ul>
      {sync.damaged.map(({ name, movedTo }) => (
        <Notice kind="warn" key={movedTo}>
          {NETWORK.damaged(name, movedTo)}
        </Notice>
      ))}
    </section>
  );
}

function SyncBadge({ host: { phase, pending, failing, refused } }: { readonly host: HostSync }) {
  switch (phase) {
    case 'copied':
      return refused === 0 ? (
        <Badge kind="good">{NETWORK.allCopied}</Badge>
      ) : (
        <Badge kind="warn">{NETWORK.refused(counted(refused, 'document'))}</Badge>
      );
    case 'copying':
      return <Badge>{NETWORK.copying(counted(pending, 'change'))}</Badge>;
    case 'connecting':
      return <Badge>{NETWORK.connecting}</Badge>;
    case 'failing':
      return <Badge kind="bad">{NETWORK.failing(counted(failing, 'database'))}</Badge>;
  }
}
