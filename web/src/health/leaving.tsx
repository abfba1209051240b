import { peersApi } from '../api/admin-api.js';
import type { DrainReply, PeerReply } from '../api/types.js';
import { formatBytes, formatDuration } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { Icon } from '../ui/icon.js';
import { usePolled } from '../ui/use-polled.js';

const POLL_MS = 5_000;

/** How far the machines are that are to leave. */
export function LeavingPeers({ peers }: { readonly peers: readonly PeerReply[] }) {
  const leaving = peers.filter(({ state }) => state === 'draining');
  if (leaving.length === 0) return null;
  return (
    <section class="card" aria-labelledby="health-leaving">
      <h2 id="health-leaving">{HEALTH.leaving.title}</h2>
      <ul class="plain-list">
        {leaving.map(({ id, name }) => (
          <LeavingPeer key={id} name={name} />
        ))}
      </ul>
    </section>
  );
}

function LeavingPeer({ name }: { readonly name: string }) {
  const options = { everyMs: POLL_MS, key: name };
  const { value, failure } = usePolled((signal) => peersApi.drain(name, { signal }), options).state.value;
  const hint = value?.reason ?? failure;
  return (
    <li class={`plain-item activity activity-${hint === '' ? 'plain' : 'warn'}`}>
      <Icon name={hint === '' ? 'network' : 'alert'} />
      <div class="grow">
        <strong>{name}</strong>
        <div>{value === null ? '–' : progressOf(value)}</div>
        {hint === '' ? null : <div class="soft small">{hint}</div>}
      </div>
    </li>
  );
}

function progressOf({ phase, left, secondsLeft, staying, forced }: DrainReply): string {
  const { leaving } = HEALTH;
  if (phase === 'left') return leaving.left;
  if (left === null) return leaving.counting;
  const time = secondsLeft === null ? '' : formatDuration(secondsLeft);
  const moving = leaving.toMove(left.chunks, formatBytes(left.bytes), time);
  return forced && staying.chunks > 0 ? `${moving}; ${leaving.staying(staying.chunks)}` : moving;
}
