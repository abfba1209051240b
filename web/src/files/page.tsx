import { STRINGS } from '../strings.js';

export function FilesPage() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.files}</h1>
      </div>
    </div>
  );
}
