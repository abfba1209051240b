import type { WhereReply } from '../api/types.js';
import { formatBytes, formatCount } from '../format.js';
import { STRINGS } from '../strings.js';
import { LongList } from '../ui/long-list.js';
import { fetchedChunks, type Holder } from './durability.js';

interface StripeMapProps {
  readonly where: WhereReply;
  readonly holders: readonly Holder[];
  readonly gone: ReadonlySet<string>;
}

type Stripe = WhereReply['stripes'][number];

const S = STRINGS.where;
/** CSS pixels, as .stripe in where.css has it. */
const ROW_HEIGHT = 40;
/** A column for chunks that wait for repair. */
const NOWHERE = 'nowhere';

/** A row for each stripe, a column for each machine: which chunk lies where, and which of them a get would ask for. */
export function StripeMap({ where, holders, gone }: StripeMapProps) {
  const { stripes, k } = where;
  const answering = holders.filter(({ id }) => !gone.has(id));
  const homeless = stripes.some(({ chunks }) => chunks.some(({ peer }) => peer === null));
  const columns = [
    ...holders.map(({ id, name }) => ({ id, name })),
    ...(homeless ? [{ id: NOWHERE, name: S.waits }] : []),
  ];
  const template = { gridTemplateColumns: `4rem repeat(${String(columns.length)}, minmax(4.5rem, 9rem))` };
  return (
    <section class="stack">
      <div>
        <h2>{S.map}</h2>
        <p class="soft small">{S.fetches(k, formatBytes(bytesFetched(where, answering)))}</p>
      </div>
      <Legend />
      <div class="stripes" role="table" aria-label={S.map} aria-rowcount={stripes.length + 1} tabIndex={0}>
        <div role="rowgroup">
          <div class="stripe stripe-head" role="row" style={template}>
            <span role="columnheader">{S.stripe}</span>
            {columns.map(({ id, name }) => (
              <span role="columnheader" key={id} title={name} data-gone={gone.has(id)}>
                {name}
              </span>
            ))}
          </div>
        </div>
        <LongList
          count={stripes.length}
          rowHeight={ROW_HEIGHT}
          role="rowgroup"
          row={(index) => {
            const stripe = stripes[index];
            if (stripe === undefined) return null;
            const fetched = fetchedChunks(stripe.chunks, k, answering);
            return (
              <div class="stripe" role="row" aria-rowindex={index + 2} style={template} key={stripe.id}>
                <span role="rowheader" class="soft">
                  {formatCount(index + 1)}
                </span>
                {columns.map(({ id }) => (
                  <span role="cell" key={id}>
                    <Chunks stripe={stripe} peer={id} k={k} gone={gone.has(id)} fetched={fetched} />
                  </span>
                ))}
              </div>
            );
          }}
        />
      </div>
    </section>
  );
}

interface ChunksProps {
  readonly stripe: Stripe;
  readonly peer: string;
  readonly k: number;
  readonly gone: boolean;
  readonly fetched: ReadonlySet<number>;
}

function Chunks({ stripe, peer, k, gone, fetched }: ChunksProps) {
  return stripe.chunks
    .filter((chunk) => (chunk.peer ?? NOWHERE) === peer)
    .map(({ index, bytes }) => {
      const kind = index < k ? 'data' : 'parity';
      const state = gone || peer === NOWHERE ? 'gone' : fetched.has(index) ? 'fetched' : 'held';
      const label = index < k ? S.data(index + 1) : S.parity(index - k + 1);
      return (
        <span
          class="chunk"
          data-kind={kind}
          data-state={state}
          key={index}
          title={`${label} · ${formatBytes(bytes)} · ${S.states[state]}`}
        >
          <span aria-hidden="true">{index < k ? index + 1 : `+${String(index - k + 1)}`}</span>
          <span class="unseen">
            {label}, {S.states[state]}
          </span>
        </span>
      );
    });
}

function Legend() {
  const entries = [
    ['data', 'fetched', S.legend.fetched],
    ['data', 'held', S.legend.data],
    ['parity', 'held', S.legend.parity],
    ['data', 'gone', S.legend.gone],
  ] as const;
  return (
    <ul class="row legend soft small">
      {entries.map(([kind, state, label]) => (
        <li key={label} class="row">
          <span class="chunk" data-kind={kind} data-state={state} aria-hidden="true" />
          {label}
        </li>
      ))}
    </ul>
  );
}

function bytesFetched({ stripes, k }: WhereReply, answering: readonly Holder[]): number {
  let sum = 0;
  for (const { chunks } of stripes) {
    const fetched = fetchedChunks(chunks, k, answering);
    for (const { index, bytes } of chunks) if (fetched.has(index)) sum += bytes;
  }
  return sum;
}
