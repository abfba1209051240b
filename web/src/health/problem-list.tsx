import { Icon } from '../ui/icon.js';
import type { Problem } from './problems.js';

/** What somebody should look at, and what to do. */
export function ProblemList({ problems }: { readonly problems: readonly Problem[] }) {
  return (
    <ul class="plain-list">
      {problems.map(({ tone, title, hint }, index) => (
        <li class={`plain-item activity activity-${tone}`} key={index}>
          <Icon name="alert" />
          <div class="grow">
            <strong>{title}</strong>
            <div class="soft small">{hint}</div>
          </div>
        </li>
      ))}
    </ul>
  );
}
