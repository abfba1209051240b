import { STRINGS } from '../strings.js';

export function WherePage() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.where}</h1>
      </div>
    </div>
  );
}
