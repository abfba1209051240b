import type { PeerReply } from '../api/types.js';
import { formatLatency } from '../format.js';
import { NETWORK } from '../strings-network.js';
import { useMedia } from '../ui/use-media.js';
import { layoutMap, type MapCircle, type MapZone } from './map-layout.js';
import { lookOf } from './peers.js';

/** Of one character of a name in the map, at its usual size. */
const CHAR_WIDTH = 7.4;
/** Pixels that the map has about, on a wide page and on a narrow one. */
const WIDE = { width: 640, height: 400, aspect: 1.9 };
const NARROW = { width: 330, height: 400, aspect: 0.9 };
/** A map that is drawn smaller has larger words, as far as they fit into the circles. */
const MOST_SCALE = 1.3;

interface NetworkMapProps {
  readonly members: readonly PeerReply[];
  readonly self: string;
  readonly chosen: string | null;
  readonly onChoose: (id: string | null) => void;
}

/** Peers as circles in the rings of their zones. What it shows stands in words in the list below it, too. */
export function NetworkMap({ members, self, chosen, onChoose }: NetworkMapProps) {
  const isNarrow = useMedia('(max-width: 48rem)');
  const room = isNarrow ? NARROW : WIDE;
  const { zones, box } = layoutMap(members, room.aspect);
  const scale = Math.min(MOST_SCALE, Math.max(1, box.width / room.width, box.height / room.height));
  return (
    <figure class="network-map">
      <svg
        viewBox={`${String(box.x)} ${String(box.y)} ${String(box.width)} ${String(box.height)}`}
        role="group"
        aria-label={NETWORK.map}
        style={{ '--scale': scale }}
      >
        {zones.map((zone) => (
          <Zone key={zone.name} zone={zone} scale={scale} />
        ))}
        {zones
          .flatMap(({ peers }) => peers)
          .map((circle) => (
            <Peer
              key={circle.peer.id}
              circle={circle}
              scale={scale}
              isSelf={circle.peer.id === self}
              isChosen={circle.peer.id === chosen}
              onChoose={onChoose}
            />
          ))}
      </svg>
      <figcaption class="network-legend">
        {(['up', 'draining', 'down'] as const).map((look) => (
          <span key={look} class={`network-dot network-${look}`}>
            {NETWORK.legend[look]}
          </span>
        ))}
        <span class="network-dot network-self">{NETWORK.legend.self}</span>
      </figcaption>
    </figure>
  );
}

interface ZoneProps {
  readonly zone: MapZone<PeerReply>;
  readonly scale: number;
}

function Zone({ zone: { name, x, y, r }, scale }: ZoneProps) {
  return (
    <g class="network-zone">
      <circle cx={x} cy={y} r={r} />
      <text x={x} y={y - r + 16}>
        {fitting(name === '' ? NETWORK.noPlace : name, (r * 0.6) / scale)}
      </text>
    </g>
  );
}

interface PeerProps {
  readonly circle: MapCircle<PeerReply>;
  readonly scale: number;
  readonly isSelf: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (id: string | null) => void;
}

function Peer({ circle: { peer, x, y, r }, scale, isSelf, isChosen, onChoose }: PeerProps) {
  const look = lookOf(peer);
  const state = look === 'up' && peer.latencyMs !== null && !isSelf ? formatLatency(peer.latencyMs) : NETWORK[look];
  const choose = (): void => onChoose(isChosen ? null : peer.id);
  const kinds = [`network-${look}`, isSelf ? 'network-self' : '', isChosen ? 'network-chosen' : ''];
  return (
    <g
      class={`network-peer ${kinds.join(' ')}`}
      role="button"
      tabindex={0}
      aria-pressed={isChosen}
      aria-label={`${peer.name} ${state}, ${peer.zone === '' ? NETWORK.noPlace : peer.zone}`}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        choose();
      }}
    >
      <circle cx={x} cy={y} r={r} />
      <text class="network-name" x={x} y={y}>
        {fitting(peer.name, r / scale)}
      </text>{' '}
      <text class="network-state" x={x} y={y + 15 * scale}>
        {state}
      </text>
    </g>
  );
}

/** As much of a name as has room in a circle. */
function fitting(name: string, r: number): string {
  const most = Math.max(3, Math.floor((r * 1.7) / CHAR_WIDTH));
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}
