import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { downloadUrl, filesApi } from '../../api/files-api.js';
import { messageOf } from '../../api/problem.js';
import type { EntryReply, VersionReply } from '../../api/types.js';
import { STRINGS } from '../../strings.js';
import { Button, LinkButton } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { Badge, Notice } from '../../ui/notice.js';
import { Spinner } from '../../ui/progress.js';
import { say } from '../../ui/toast.js';
import { reload } from '../folder.js';
import { formatBytes } from '../../format.js';
import { formatFullTime } from '../format.js';
import { shownName } from '../names.js';
import { nameOf } from '../paths.js';

interface VersionsDialogProps {
  readonly entry: EntryReply;
  readonly onClose: () => void;
}

const S = STRINGS.files;

/** What a file was before, to look at and to take back. */
export function VersionsDialog({ entry, onClose }: VersionsDialogProps) {
  const versions = useSignal<readonly VersionReply[] | null>(null);
  const failure = useSignal('');
  const run = (work: () => Promise<void>) => {
    failure.value = '';
    work().catch((error: unknown) => {
      failure.value = messageOf(error);
    });
  };
  useEffect(() => {
    run(async () => {
      versions.value = await filesApi.versions(entry.path);
    });
  }, [entry.path]);
  const restore = (version: string) => {
    run(async () => {
      await filesApi.restore(entry.path, version);
      say(S.versionRestored);
      reload();
      onClose();
    });
  };
  return (
    <Dialog title={S.versionsOf(shownName(nameOf(entry.path)))} wide onClose={onClose}>
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      {versions.value === null && failure.value === '' ? <Spinner /> : null}
      <ul class="versions">
        {versions.value?.map(({ version, bytes, modified, created, current }) => (
          <li key={version}>
            <div class="grow">
              <div>
                {formatFullTime(created)} {current ? <Badge kind="good">{S.current}</Badge> : null}
              </div>
              <div class="soft small">{S.versionDetail(formatBytes(bytes), formatFullTime(modified))}</div>
            </div>
            <LinkButton href={downloadUrl(entry.path, version)} kind="quiet" icon="download" download>
              {S.download}
            </LinkButton>
            {current ? null : (
              <Button icon="restore" onClick={() => restore(version)}>
                {S.restore}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
