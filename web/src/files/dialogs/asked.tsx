import { asking } from '../actions.js';
import { KeysDialog } from './keys-dialog.js';
import { MoveDialog } from './move-dialog.js';
import { NewFolderDialog, RenameDialog } from './name-dialogs.js';
import { VersionsDialog } from './versions-dialog.js';

/** The dialog that somebody has asked for. */
export function Asked() {
  const now = asking.value;
  const close = () => {
    asking.value = null;
  };
  switch (now?.about) {
    case undefined:
      return null;
    case 'folder':
      return <NewFolderDialog onClose={close} />;
    case 'rename':
      return <RenameDialog entry={now.entry} onClose={close} />;
    case 'move':
      return <MoveDialog entries={now.entries} onClose={close} />;
    case 'versions':
      return <VersionsDialog entry={now.entry} onClose={close} />;
    case 'keys':
      return <KeysDialog onClose={close} />;
  }
}
