import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { filesApi } from '../api/files-api.js';
import { networkApi } from '../api/network-api.js';
import { status as liveStatus } from '../api/events.js';
import type { StatusReply, WhereReply } from '../api/types.js';
import { shownName } from '../files/names.js';
import { nameOf, parentOf } from '../files/paths.js';
import { formatBytes, formatCount } from '../format.js';
import { placeUrl } from '../location.js';
import { place } from '../router.js';
import { STRINGS } from '../strings.js';
import { LinkButton } from '../ui/button.js';
import { Empty, Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { usePolled } from '../ui/use-polled.js';
import { holdersOf, outlookOf, type Holder } from './durability.js';
import { Holders } from './holders.js';
import { StripeMap } from './stripe-map.js';
import './where.css';

const S = STRINGS.where;

/** Of one file: which machines hold what of it, and what may happen to them. */
export function WherePage() {
  const path = place.value.query['path'] ?? '';
  const { state } = usePolled(
    async (signal) => {
      const [where, status] = await Promise.all([filesApi.where(path, { signal }), networkApi.status({ signal })]);
      return { where, status };
    },
    { key: path },
  );
  const { value, failure } = state.value;
  const name = shownName(nameOf(path));
  return (
    <div class="page">
      <div class="page-head">
        <h1>{S.title(name)}</h1>
        <LinkButton href={placeUrl('files', { path: parentOf(path) === '/' ? undefined : parentOf(path) })} icon="back">
          {S.toFolder}
        </LinkButton>
      </div>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value === null && failure === '' ? <Spinner /> : null}
      {value === null ? null : <Where where={value.where} status={liveStatus.value ?? value.status} />}
    </div>
  );
}

function Where({ where, status }: { readonly where: WhereReply; readonly status: StatusReply }) {
  const imagined = useSignal<ReadonlySet<string>>(new Set());
  useEffect(() => {
    imagined.value = new Set();
  }, [where.path]);
  const holders = holdersOf(where, status);
  const gone = new Set([...imagined.value, ...holders.filter(({ up }) => !up).map(({ id }) => id)]);
  if (where.stripes.length === 0) return <Empty icon="where" title={S.nothing} />;
  const toggle = (id: string) => {
    const next = new Set(imagined.value);
    if (!next.delete(id)) next.add(id);
    imagined.value = next;
  };
  return (
    <>
      <Sentence where={where} holders={holders} gone={gone} imagining={imagined.value.size > 0} />
      <p class="soft">
        {S.scheme(formatBytes(where.bytes), formatCount(where.stripes.length), where.stripes.length)}{' '}
        {S.coding(where.k, where.m)}
      </p>
      <Holders holders={holders} imagined={imagined.value} onToggle={toggle} />
      <StripeMap where={where} holders={holders} gone={gone} />
    </>
  );
}

interface SentenceProps {
  readonly where: WhereReply;
  readonly holders: readonly Holder[];
  readonly gone: ReadonlySet<string>;
  readonly imagining: boolean;
}

function Sentence({ where, holders, gone, imagining }: SentenceProps) {
  const { lost, mayFail } = outlookOf(where, gone);
  const left = holders.length - holders.filter(({ id }) => gone.has(id)).length;
  const lead = imagining ? S.ifGone : '';
  if (lost > 0) {
    return (
      <Notice kind={imagining ? 'warn' : 'bad'}>
        {lead} {S.lost(formatCount(lost), lost)}
      </Notice>
    );
  }
  return (
    <Notice kind={mayFail === 0 ? 'warn' : 'good'}>
      {lead} {mayFail === 0 ? S.noneMayFail : S.mayFail(mayFail, left)}
    </Notice>
  );
}
