import { Fragment } from 'preact';
import { STRINGS } from '../../strings.js';
import { Dialog } from '../../ui/dialog.js';

export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={STRINGS.keys.title} onClose={onClose}>
      <dl class="keys">
        {STRINGS.keys.list.map(([keys, meaning]) => (
          <Fragment key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
