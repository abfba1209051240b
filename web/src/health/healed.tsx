import { healingApi } from '../api/healing-api.js';
import type { RepairsReply, SafetyReply, ScrubReply } from '../api/types.js';
import { formatBytes, formatCount, formatDuration } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { usePolled } from '../ui/use-polled.js';
import { Fact } from './fact.js';

const POLL_MS = 15_000;

interface HealedProps {
  readonly queue: SafetyReply['repairs'];
  /** null until it has come. */
  readonly scrub: ScrubReply | null;
}

/** What was healed lately, what is queued, and how long that takes. Its place is the same before the answers have come. */
export function Healed({ queue, scrub }: HealedProps) {
  const repairs = usePolled((signal) => healingApi.repairs({ signal }), { everyMs: POLL_MS }).state.value.value;
  const { healed } = HEALTH;
  return (
    <section class="card" aria-labelledby="health-healed">
      <h2 id="health-healed">{healed.title}</h2>
      <dl class="facts health-facts">
        <Fact name={healed.disk}>{scrub === null ? '–' : scrubbed(scrub)}</Fact>
        <Fact name={healed.elsewhere}>{repairs === null ? '–' : rebuilt(repairs)}</Fact>
        <Fact name={healed.queued}>
          {queue.stripes === 0 ? healed.nothing : healed.queue(queue.chunks, formatBytes(queue.bytes))}
        </Fact>
        <Fact name={healed.left}>
          {queue.stripes === 0
            ? '–'
            : queue.secondsLeft === null
              ? healed.off
              : healed.about(formatDuration(queue.secondsLeft))}
        </Fact>
      </dl>
      <p class="soft small health-note">{healed.since}</p>
    </section>
  );
}

function scrubbed({ totals }: ScrubReply): string {
  const { healed } = HEALTH;
  if (totals.healedSegments === 0) return healed.none;
  return healed.segments(totals.healedSegments, formatBytes(totals.movedBytes));
}

function rebuilt({ totals, running }: RepairsReply): string {
  const { healed } = HEALTH;
  const done = totals.chunks === 0 ? healed.none : healed.chunks(totals.chunks, formatBytes(totals.movedBytes));
  return running === 0 ? done : `${done}; ${healed.running(formatCount(running))}`;
}
