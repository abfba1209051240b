import { healingApi } from '../api/healing-api.js';
import type { CompactionReply, GarbageReply } from '../api/types.js';
import { formatAgo, formatBytes, formatDuration } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { usePolled } from '../ui/use-polled.js';
import { Fact } from './fact.js';
import { ProblemList } from './problem-list.js';
import type { Problem } from './problems.js';

const POLL_MS = 15_000;

/** What takes space for nothing, and when that comes free. Its place is the same before the answers have come. */
export function Room() {
  const garbage = usePolled((signal) => healingApi.garbage({ signal }), { everyMs: POLL_MS }).state.value.value;
  const compaction = usePolled((signal) => healingApi.compaction({ signal }), { everyMs: POLL_MS }).state.value.value;
  const { room } = HEALTH;
  return (
    <section class="card" aria-labelledby="health-room">
      <h2 id="health-room">{room.title}</h2>
      <dl class="facts health-facts">
        <Fact name={room.waiting}>{garbage === null ? '–' : waiting(garbage)}</Fact>
        <Fact name={room.strays}>{garbage === null ? '–' : strays(garbage)}</Fact>
        <Fact name={room.sparse}>{compaction === null ? '–' : sparse(compaction)}</Fact>
        <Fact name={room.places}>{compaction === null ? '–' : places(compaction)}</Fact>
      </dl>
      <ProblemList problems={garbage === null ? [] : reasonsOf(garbage)} />
      <p class="soft small health-note">{room.by}</p>
    </section>
  );
}

/** Why something is not deleted yet. */
function reasonsOf({ waiting: left, awaited, looksLost, held }: GarbageReply): Problem[] {
  const { room } = HEALTH;
  const hasStrays = held.some(({ strayChunks }) => strayChunks > 0);
  return [
    ...left
      .filter(({ reason }) => reason !== null)
      .map(({ name, chunks, since, reason }) => ({
        tone: 'warn' as const,
        title: room.undeleted(name, chunks, since === null ? '' : formatAgo(since)),
        hint: reason ?? '',
      })),
    ...(looksLost ? [{ tone: 'warn' as const, title: room.looksLost, hint: room.looksLostHint }] : []),
    ...(hasStrays && awaited.length > 0
      ? [{ tone: 'warn' as const, title: room.awaited(awaited.join(', ')), hint: room.awaitedHint }]
      : []),
  ];
}

function waiting({ waiting: left }: GarbageReply): string {
  const { room } = HEALTH;
  const chunks = left.reduce((sum, one) => sum + one.chunks, 0);
  return chunks === 0 ? room.nothing : room.chunksAt(chunks, left.length);
}

function strays({ held, graceMs, watched }: GarbageReply): string {
  const { room } = HEALTH;
  const chunks = held.reduce((sum, { strayChunks }) => sum + strayChunks, 0);
  const bytes = held.reduce((sum, { strayBytes }) => sum + strayBytes, 0);
  if (chunks > 0) return room.strayChunks(chunks, formatBytes(bytes), formatDuration(graceMs / 1000));
  return watched === null ? room.unwatched : room.nothing;
}

function sparse({ looked, stripes, deadBytes }: CompactionReply): string {
  const { room } = HEALTH;
  if (looked === null) return room.unlooked;
  return stripes === 0 ? room.nothing : room.sparseIn(formatBytes(deadBytes), stripes);
}

function places({ waiting: left, graceMs }: CompactionReply): string {
  const { room } = HEALTH;
  return left === 0 ? room.nothing : room.placesAfter(left, formatDuration(graceMs / 1000));
}
