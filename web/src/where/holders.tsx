import { formatBytes, formatCount } from '../format.js';
import { STRINGS } from '../strings.js';
import { Badge } from '../ui/notice.js';
import type { Holder } from './durability.js';

interface HoldersProps {
  readonly holders: readonly Holder[];
  /** Imagined to be gone. */
  readonly imagined: ReadonlySet<string>;
  readonly onToggle: (id: string) => void;
}

const S = STRINGS.where;

/** The machines, each a switch: what if it were gone? */
export function Holders({ holders, imagined, onToggle }: HoldersProps) {
  return (
    <section class="stack">
      <div>
        <h2>{S.holders}</h2>
        <p class="soft small">{S.tryIt}</p>
      </div>
      <ul class="holders">
        {holders.map((holder) => (
          <li key={holder.id}>
            <button
              type="button"
              class="holder"
              aria-pressed={imagined.has(holder.id)}
              data-gone={imagined.has(holder.id) || !holder.up}
              disabled={!holder.up}
              onClick={() => onToggle(holder.id)}
            >
              <span class="holder-name">{holder.name}</span>
              <span class="soft small">
                {S.holds(formatCount(holder.chunks), holder.chunks, formatBytes(holder.bytes))}
                {holder.zone === '' ? '' : ` · ${holder.zone}`}
              </span>
              <HolderBadge holder={holder} imagined={imagined.has(holder.id)} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function HolderBadge({ holder, imagined }: { readonly holder: Holder; readonly imagined: boolean }) {
  if (!holder.up) return <Badge kind="bad">{S.down}</Badge>;
  if (imagined) return <Badge kind="warn">{S.imagined}</Badge>;
  return <Badge kind="good">{holder.self ? S.self : S.up}</Badge>;
}
