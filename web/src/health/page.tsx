import type { ComponentChildren } from 'preact';
import { peersApi } from '../api/admin-api.js';
import { status as liveStatus } from '../api/events.js';
import { healingApi } from '../api/healing-api.js';
import { networkApi } from '../api/network-api.js';
import type { PeerReply, StatusReply } from '../api/types.js';
import { formatBytes, formatCount } from '../format.js';
import { STRINGS } from '../strings.js';
import { HEALTH } from '../strings-health.js';
import { Icon, type IconName } from '../ui/icon.js';
import { Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { usePolled } from '../ui/use-polled.js';
import { Activity } from './activity.js';
import { Charts } from './charts.js';
import { FilesBar } from './files-bar.js';
import { Healed } from './healed.js';
import { LeavingPeers } from './leaving.js';
import { MayFail } from './may-fail.js';
import { ProblemList } from './problem-list.js';
import { problemsOf } from './problems.js';
import { Room } from './room.js';
import { verdictOf, type Verdict } from './verdict.js';
import '../styles/facts.css';
import './health.css';

/** Each asks every peer how it is. */
const POLL_MS = 10_000;

interface Loaded {
  readonly status: StatusReply;
  readonly peers: readonly PeerReply[];
}

/** Whether everything is safe, what asks for attention, and how things were. */
export function HealthPage() {
  const { state } = usePolled(
    async (signal): Promise<Loaded> => {
      const [status, peers] = await Promise.all([networkApi.status({ signal }), peersApi.peers({ signal })]);
      return { status, peers };
    },
    { everyMs: POLL_MS },
  );
  const { value, failure } = state.value;
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.health}</h1>
      </div>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value === null ? (
        failure === '' ? (
          <Spinner label={HEALTH.sentence.checking} />
        ) : null
      ) : (
        <Told status={liveStatus.value ?? value.status} peers={value.peers} />
      )}
      <Charts />
      <Activity />
    </div>
  );
}

function Told({ status, peers }: Loaded) {
  const audits = usePolled((signal) => healingApi.audits({ signal }), { everyMs: POLL_MS }).state.value.value;
  const scrub = usePolled((signal) => healingApi.scrub({ signal }), { everyMs: POLL_MS }).state.value.value;
  const problems = problemsOf({ status, peers, audits, scrub }, Date.now());
  const { safety } = status;
  return (
    <>
      <Banner verdict={verdictOf(status)} />
      {safety === null ? null : <FilesBar safety={safety} />}
      {safety === null ? null : <MayFail safety={safety} />}
      <section class="card">
        <h2>{HEALTH.problems}</h2>
        {problems.length === 0 ? <p class="soft">{HEALTH.noProblems}</p> : null}
        <ProblemList problems={problems} />
      </section>
      {safety === null ? null : <Healed queue={safety.repairs} scrub={scrub} />}
      <LeavingPeers peers={peers} />
      <Room />
      <Facts status={status} />
    </>
  );
}

const VERDICT_ICONS: Readonly<Record<Verdict['tone'], IconName>> = {
  good: 'shield',
  plain: 'lock',
  warn: 'alert',
  bad: 'alert',
};

function Banner({ verdict: { tone, title, detail } }: { readonly verdict: Verdict }) {
  return (
    <div class={`verdict verdict-${tone}`} role="status">
      <Icon name={VERDICT_ICONS[tone]} />
      <div class="grow">
        <p class="verdict-title">{title}</p>
        <p>{detail}</p>
        <p class="small verdict-how">{HEALTH.sentence.computed}</p>
      </div>
    </div>
  );
}

function Facts({ status: { safety, store, outbox } }: { readonly status: StatusReply }) {
  const { facts } = HEALTH;
  return (
    <div class="tiles">
      <Tile name={facts.stripes} value={safety === null ? '–' : formatCount(safety.stripes)}>
        {safety === null ? '' : `${formatCount(safety.degraded)} ${facts.degraded}`}
      </Tile>
      <Tile name={facts.chunks} value={store === null ? '–' : formatBytes(store.bytes)}>
        {store === null ? '' : `${formatCount(store.chunks)}, ${facts.held}`}
      </Tile>
      <Tile name={facts.free} value={store === null ? '–' : formatBytes(store.freeBytes)}>
        {store === null ? '' : facts.reserve(formatBytes(store.reserveBytes))}
      </Tile>
      <Tile name={facts.outbox} value={outbox.pendingDeletes === null ? '–' : formatCount(outbox.pendingDeletes)}>
        {facts.outboxHint}
      </Tile>
    </div>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly children: ComponentChildren;
}

function Tile({ name, value, children }: TileProps) {
  return (
    <div class="card tile">
      <div class="soft small">{name}</div>
      <div class="tile-value">{value}</div>
      <div class="soft small">{children}</div>
    </div>
  );
}
