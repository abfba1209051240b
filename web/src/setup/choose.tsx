import { SETUP } from '../strings-setup.js';
import { Icon, type IconName } from '../ui/icon.js';
import type { Wizard } from './wizard.js';

/** The one question that decides everything else. */
export function Choose({ wizard }: { readonly wizard: Wizard }) {
  return (
    <>
      <h1>{SETUP.welcome}</h1>
      <p class="soft setup-lead">{SETUP.lead}</p>
      <div class="setup-choices">
        <Way
          icon="network"
          title={SETUP.create}
          hint={SETUP.createHint}
          onClick={() => wizard.go({ at: 'machine', kind: 'create' })}
        />
        <Way
          icon="key"
          title={SETUP.join}
          hint={SETUP.joinHint}
          onClick={() => wizard.go({ at: 'machine', kind: 'join' })}
        />
      </div>
      <p class="soft small">{SETUP.home(wizard.proposal.home)}</p>
    </>
  );
}

interface WayProps {
  readonly icon: IconName;
  readonly title: string;
  readonly hint: string;
  readonly onClick: () => void;
}

function Way({ icon, title, hint, onClick }: WayProps) {
  return (
    <button class="setup-way" type="button" onClick={onClick}>
      <Icon name={icon} />
      <span class="grow">
        <strong>{title}</strong>
        <span class="soft">{hint}</span>
      </span>
      <Icon name="chevronRight" />
    </button>
  );
}
