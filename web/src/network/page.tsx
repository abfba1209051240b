import { STRINGS } from '../strings.js';

export function NetworkPage() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.network}</h1>
      </div>
    </div>
  );
}
