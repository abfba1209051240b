import { STRINGS } from '../strings.js';

interface ProgressProps {
  /** What makes progress, for those who do not see the bar. */
  readonly label: string;
  /** 0 to 1; null while the whole is not known. */
  readonly part: number | null;
}

export function Progress({ label, part }: ProgressProps) {
  const percent = part === null ? null : Math.round(Math.min(Math.max(part, 0), 1) * 100);
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { 'aria-valuenow': percent })}
    >
      <div
        class={percent === null ? 'progress-done progress-unknown' : 'progress-done'}
        style={percent === null ? {} : { width: `${String(percent)}%` }}
      />
    </div>
  );
}

export function Spinner({ label = STRINGS.loading }: { readonly label?: string }) {
  return (
    <div class="waiting" role="status">
      <div class="spinner" />
      <span class="unseen">{label}</span>
    </div>
  );
}
