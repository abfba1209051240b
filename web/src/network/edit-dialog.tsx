import { useSignal } from '@preact/signals';
import { peersApi } from '../api/admin-api.js';
import type { OwnRequest, PeerReply } from '../api/types.js';
import { NETWORK } from '../strings-network.js';
import { SETUP } from '../strings-setup.js';
import { Field, Switch } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';
import { say } from '../ui/toast.js';

const GB = 1e9;

/** What this peer says of itself. */
export function EditDialog({ peer, onClose }: { readonly peer: PeerReply; readonly onClose: () => void }) {
  const name = useSignal(peer.name);
  const zone = useSignal(peer.zone);
  const address = useSignal(peer.address);
  const capacity = useSignal(String(Math.round(peer.capacityBytes / GB)));
  const backup = useSignal(peer.backup);
  const changes = (): OwnRequest => {
    const capacityBytes = Math.round(Number(capacity.value) * GB);
    const isSameRoom = Number(capacity.value) === Math.round(peer.capacityBytes / GB);
    return {
      ...(name.value.trim() === peer.name ? {} : { name: name.value.trim() }),
      ...(zone.value.trim() === peer.zone ? {} : { zone: zone.value.trim() }),
      ...(address.value.trim() === peer.address ? {} : { address: address.value.trim() }),
      ...(isSameRoom ? {} : { capacityBytes }),
      ...(backup.value === peer.backup ? {} : { backup: backup.value }),
    };
  };
  return (
    <FormDialog
      title={NETWORK.editTitle}
      action={NETWORK.save}
      disabled={name.value.trim() === '' || !(Number(capacity.value) > 0)}
      onClose={onClose}
      onSubmit={async () => {
        await peersApi.setOwn(changes());
        say(NETWORK.saved);
      }}
    >
      <Field label={SETUP.peer} value={name.value} onInput={(value) => (name.value = value)} required />
      <Field label={SETUP.zone} hint={SETUP.zoneHint} value={zone.value} onInput={(value) => (zone.value = value)} />
      <Field
        label={SETUP.address}
        hint={SETUP.addressHint}
        value={address.value}
        onInput={(value) => (address.value = value)}
      />
      <Field
        label={NETWORK.capacityGb}
        type="number"
        value={capacity.value}
        onInput={(value) => (capacity.value = value)}
      />
      <div class="row">
        <span class="grow">{SETUP.backup}</span>
        <Switch label={SETUP.backup} on={backup.value} onChange={(on) => (backup.value = on)} />
      </div>
      <p class="soft small">{NETWORK.restartHint}</p>
    </FormDialog>
  );
}
