import { session, user } from '../session.js';
import { STRINGS } from '../strings.js';
import { SETTINGS } from '../strings-settings.js';
import { chooseTheme, theme } from '../theme.js';
import { Choice } from '../ui/field.js';
import { KeysSection } from './keys-section.js';
import { KitSection } from './kit-section.js';
import { MachineSection } from './machine-section.js';
import { PassphraseSection } from './passphrase-section.js';
import { PolicySection } from './policy-section.js';
import { Section } from './section.js';
import { SessionsSection } from './sessions-section.js';
import { SshSection } from './ssh-section.js';
import { UsersSection } from './users-section.js';
import '../styles/facts.css';
import './settings.css';

/** What somebody decides about himself, this machine and the network. */
export function SettingsPage() {
  const self = user.value;
  if (self === null) return null;
  return (
    <div class="page settings">
      <div class="page-head">
        <h1>{STRINGS.pages.settings}</h1>
      </div>
      <Appearance />
      <PassphraseSection user={self} />
      <KitSection user={self} />
      <KeysSection user={self} />
      <SessionsSection user={self} />
      <SshSection user={self} />
      <PolicySection />
      <UsersSection self={self} />
      <MachineSection />
      <p class="soft small">
        {SETTINGS.about(session.value?.version ?? '')} · <a href="/api/docs">{SETTINGS.api}</a>
      </p>
    </div>
  );
}

function Appearance() {
  return (
    <Section title={SETTINGS.appearance}>
      <Choice
        label={SETTINGS.theme}
        options={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: SETTINGS.themes[value] }))}
        value={theme.value}
        onChange={chooseTheme}
      />
    </Section>
  );
}
