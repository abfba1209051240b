import { STRINGS } from '../strings.js';

export function SetupPage() {
  return (
    <main class="page">
      <h1>{STRINGS.pages.setup}</h1>
    </main>
  );
}
