import { STRINGS } from '../strings.js';

export function HealthPage() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.health}</h1>
      </div>
    </div>
  );
}
