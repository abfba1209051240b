import { useSignal } from '@preact/signals';
import { peersApi } from '../api/admin-api.js';
import type { PeerReply } from '../api/types.js';
import { NETWORK } from '../strings-network.js';
import { Field } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';
import { say } from '../ui/toast.js';

/** Not undone by anything: the name is typed, so that nobody does it to another one. */
export function RemoveDialog({ peer, onClose }: { readonly peer: PeerReply; readonly onClose: () => void }) {
  const typed = useSignal('');
  return (
    <FormDialog
      title={NETWORK.removeTitle(peer.name)}
      action={NETWORK.removeAction}
      danger
      disabled={typed.value.trim() !== peer.name}
      onClose={onClose}
      onSubmit={async () => {
        await peersApi.remove(peer.id);
        say(NETWORK.wasRemoved(peer.name));
      }}
    >
      <p>{NETWORK.removeText}</p>
      <Field label={NETWORK.removeType(peer.name)} value={typed.value} onInput={(value) => (typed.value = value)} />
    </FormDialog>
  );
}
