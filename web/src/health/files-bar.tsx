import type { SafetyReply } from '../api/types.js';
import { counted, formatBytes, formatCount } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { filesIn } from './verdict.js';

const STATES = ['healthy', 'degraded', 'atRisk', 'lost'] as const;

/** How many files are how safe: a bar for the eye, and the same in words. */
export function FilesBar({ safety }: { readonly safety: SafetyReply }) {
  const { states } = HEALTH;
  if (filesIn(safety) === 0) return null;
  const shown = STATES.filter((state) => safety.files[state].files > 0);
  const words = shown.map((state) => `${formatCount(safety.files[state].files)} ${states[state].name}`).join(', ');
  const waiting = safety.files.waiting.files;
  return (
    <section class="card" aria-labelledby="health-files">
      <h2 id="health-files">{HEALTH.files}</h2>
      <div class="files-bar" role="img" aria-label={words}>
        {shown.map((state) => (
          <span class={`files-bar-part files-${state}`} key={state} style={{ flexGrow: safety.files[state].files }} />
        ))}
      </div>
      <dl class="files-legend">
        {STATES.map((state) => (
          <div key={state}>
            <dt>
              <span class={`files-key files-${state}`} aria-hidden="true" />
              {states[state].name}
            </dt>
            <dd>
              {formatCount(safety.files[state].files)}
              <span class="soft small"> {formatBytes(safety.files[state].bytes)}</span>
            </dd>
          </div>
        ))}
      </dl>
      {waiting === 0 ? null : <p class="small">{HEALTH.waiting(waiting)}</p>}
      <Worst safety={safety} />
      <Words />
    </section>
  );
}

/** Those that are lost or at risk; the command line lists more. */
function Worst({ safety: { worst, files } }: { readonly safety: SafetyReply }) {
  if (worst.length === 0) return null;
  const more = files.lost.files + files.atRisk.files - worst.length;
  return (
    <>
      <h3 class="health-sub">{HEALTH.worst}</h3>
      <ul class="plain-list">
        {worst.map(({ path, bytes, state }) => (
          <li class="plain-item" key={path}>
            <span class={`badge badge-${state === 'lost' ? 'bad' : 'warn'}`}>{HEALTH.states[state].name}</span>
            <span class="grow">{path}</span>
            <span class="soft small">{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
      {more <= 0 ? null : <p class="soft small">{HEALTH.moreFiles(counted(more, 'file'))}</p>}
    </>
  );
}

/** What the words mean. */
function Words() {
  return (
    <details class="health-words">
      <summary>{HEALTH.words}</summary>
      <dl>
        {STATES.map((state) => (
          <div key={state}>
            <dt>{HEALTH.states[state].name}</dt>
            <dd>{HEALTH.states[state].meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
