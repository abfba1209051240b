import { STRINGS } from '../strings.js';

export function TrashPage() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.trash}</h1>
      </div>
    </div>
  );
}
