import { useSignal } from '@preact/signals';
import { usersApi } from '../api/admin-api.js';
import { messageOf } from '../api/problem.js';
import type { KitReply, SessionReply, UserReply } from '../api/types.js';
import { KitSheet } from '../kit/kit-sheet.js';
import { go } from '../router.js';
import { takeSession } from '../session.js';
import { KIT } from '../strings-passphrase.js';
import { SETUP } from '../strings-setup.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';

interface KitStepProps {
  readonly user: UserReply;
  readonly passphrase: string;
  readonly session: SessionReply;
}

/** The last step: a way back in on paper. Whoever has a kit already needs none. */
export function KitStep({ user, passphrase, session }: KitStepProps) {
  const kit = useSignal<KitReply | null>(null);
  const busy = useSignal(false);
  const failure = useSignal('');
  const make = async (): Promise<void> => {
    busy.value = true;
    try {
      kit.value = await usersApi.makeKit(user.name, passphrase);
    } catch (error) {
      failure.value = messageOf(error);
    } finally {
      busy.value = false;
    }
  };
  const finish = (): void => {
    go('files', {}, { replace: true });
    takeSession({ ...session, user: { ...user, kit: user.kit || kit.value !== null } });
  };
  if (user.kit) {
    return (
      <div class="stack">
        <h1>{SETUP.ready}</h1>
        <div class="setup-actions">
          <Button kind="primary" onClick={finish}>
            {SETUP.done}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <div class="stack">
      <h1>{SETUP.steps.kit}</h1>
      <p class="soft">{kit.value === null ? SETUP.kitLead : KIT.once}</p>
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      {kit.value === null ? null : <KitSheet kit={kit.value} />}
      <div class="setup-actions">
        {kit.value === null ? (
          <>
            <Button kind="quiet" onClick={finish}>
              {SETUP.kitLater}
            </Button>
            <Button kind="primary" icon="key" disabled={busy.value} onClick={() => void make()}>
              {busy.value ? SETUP.kitMaking : SETUP.kitMake}
            </Button>
          </>
        ) : (
          <>
            <Button icon="file" onClick={() => print()}>
              {KIT.print}
            </Button>
            <Button kind="primary" icon="check" onClick={finish}>
              {KIT.printed}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
