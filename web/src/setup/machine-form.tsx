import { formatBytes } from '../format.js';
import { SETUP } from '../strings-setup.js';
import { Button } from '../ui/button.js';
import { Field, Switch } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { faultsOf, isLoopback, type MachineDraft } from './machine.js';
import type { Wizard } from './wizard.js';

interface MachineFormProps {
  readonly wizard: Wizard;
  readonly kind: 'create' | 'join';
}

/** What this machine is to be in its network. */
export function MachineForm({ wizard, kind }: MachineFormProps) {
  const draft = wizard.draft.value;
  const faults = faultsOf(draft, kind);
  const set = (changes: Partial<MachineDraft>): void => {
    wizard.draft.value = { ...wizard.draft.value, ...changes };
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (faults.size > 0) return;
        if (kind === 'create') wizard.go({ at: 'user' });
        else void wizard.join();
      }}
    >
      <h1>{kind === 'create' ? SETUP.create : SETUP.join}</h1>
      {kind === 'create' ? (
        <Field
          label={SETUP.networkName}
          hint={SETUP.networkHint}
          value={draft.network}
          onInput={(network) => set({ network })}
          required
        />
      ) : (
        <Field
          label={SETUP.token}
          hint={SETUP.tokenHint}
          value={draft.token}
          onInput={(token) => set({ token })}
          required
        />
      )}
      <Field label={SETUP.peer} value={draft.peer} onInput={(peer) => set({ peer })} required />
      <Field label={SETUP.zone} hint={SETUP.zoneHint} value={draft.zone} onInput={(zone) => set({ zone })} />
      {kind === 'join' ? (
        <div class="setup-switch">
          <div class="grow">
            <div class="field-label">{SETUP.backup}</div>
            <div class="field-hint">{SETUP.backupHint}</div>
          </div>
          <Switch label={SETUP.backup} on={draft.backup} onChange={(backup) => set({ backup })} />
        </div>
      ) : null}
      <Advanced wizard={wizard} faults={faults} set={set} />
      <div class="setup-actions">
        <Button kind="quiet" icon="back" onClick={() => wizard.go({ at: 'choose' })}>
          {SETUP.back}
        </Button>
        <Button type="submit" kind="primary" disabled={faults.size > 0}>
          {SETUP.next}
        </Button>
      </div>
    </form>
  );
}

interface AdvancedProps {
  readonly wizard: Wizard;
  readonly faults: ReadonlySet<keyof MachineDraft>;
  readonly set: (changes: Partial<MachineDraft>) => void;
}

/** What is right as proposed for most. */
function Advanced({ wizard, faults, set }: AdvancedProps) {
  const draft = wizard.draft.value;
  const { addresses, roomBytes } = wizard.proposal;
  const wrong = faults.has('listen') || faults.has('address') || faults.has('capacity');
  return (
    <details class="setup-advanced" open={wrong}>
      <summary>
        {SETUP.advanced}
        <span class="soft small"> · {draft.address}</span>
      </summary>
      <div class="stack">
        <Field
          label={SETUP.address}
          hint={SETUP.addressHint}
          value={draft.address}
          onInput={(address) => set({ address })}
        />
        <div class="row">
          {addresses.map((address) => (
            <Button key={address} onClick={() => set({ address })} disabled={address === draft.address}>
              {address}
            </Button>
          ))}
        </div>
        {isLoopback(draft.address) ? <Notice kind="warn">{SETUP.loopback}</Notice> : null}
        <Field label={SETUP.listen} value={draft.listen} onInput={(listen) => set({ listen })} />
        <Field
          label={SETUP.capacity}
          hint={SETUP.capacityHint(formatBytes(roomBytes))}
          type="number"
          value={draft.capacity}
          onInput={(capacity) => set({ capacity })}
        />
      </div>
    </details>
  );
}
