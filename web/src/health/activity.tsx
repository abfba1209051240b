import { ownApi } from '../api/admin-api.js';
import type { ActivityReply } from '../api/types.js';
import { formatAgo, formatTime } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { Icon, type IconName } from '../ui/icon.js';
import { Notice } from '../ui/notice.js';
import { usePolled } from '../ui/use-polled.js';

const MOST_SHOWN = 20;
const POLL_MS = 15_000;

const ICONS: Readonly<Record<ActivityReply['kind'], readonly [icon: IconName, tone: string]>> = {
  'peer-joined': ['plus', 'good'],
  'peer-removed': ['trash', 'plain'],
  'peer-gone': ['alert', 'warn'],
  'peer-back': ['check', 'good'],
  'peer-distrusted': ['shield', 'bad'],
  'peer-trusted': ['shield', 'good'],
  'user-unlocked': ['key', 'plain'],
  'user-locked': ['lock', 'plain'],
  'keys-rotated': ['key', 'plain'],
  'transfer-failed': ['alert', 'bad'],
  'signed-in': ['user', 'plain'],
  refused: ['shield', 'warn'],
  repaired: ['restore', 'good'],
  healed: ['check', 'good'],
  'files-safe': ['shield', 'good'],
  'files-degraded': ['alert', 'warn'],
  'files-at-risk': ['alert', 'warn'],
  'files-lost': ['alert', 'bad'],
};

/** What the peer has noted, newest first. */
export function Activity() {
  const { state } = usePolled((signal) => ownApi.activity(MOST_SHOWN, { signal }), { everyMs: POLL_MS });
  const { value, failure } = state.value;
  return (
    <section class="card">
      <h2>{HEALTH.activity}</h2>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value?.length === 0 ? <p class="soft">{HEALTH.noActivity}</p> : null}
      <ul class="plain-list">
        {value?.map(({ at, kind, text }, index) => {
          const [icon, tone] = ICONS[kind];
          return (
            <li class={`plain-item activity activity-${tone}`} key={`${at} ${String(index)}`}>
              <Icon name={icon} />
              <span class="grow">{text}</span>
              <time class="soft small" dateTime={at} title={formatTime(at)}>
                {formatAgo(at)}
              </time>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
