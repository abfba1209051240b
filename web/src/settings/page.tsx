import { STRINGS } from '../strings.js';

export function SettingsPage() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.settings}</h1>
      </div>
    </div>
  );
}
