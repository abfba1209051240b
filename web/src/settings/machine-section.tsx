import { useSignal } from '@preact/signals';
import { ownApi } from '../api/admin-api.js';
import type { SettingReply } from '../api/types.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';
import { Badge, Notice } from '../ui/notice.js';
import { say } from '../ui/toast.js';
import { usePolled } from '../ui/use-polled.js';
import { Section } from './section.js';
import { parsed, shown, typed } from './setting-value.js';

/** The settings of this peer. */
export function MachineSection() {
  const words = SETTINGS.machine;
  const { state, refresh } = usePolled((signal) => ownApi.settings({ signal }));
  const asked = useSignal<SettingReply | null>(null);
  const { value, failure } = state.value;
  return (
    <Section title={words.title} lead={words.lead}>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      <ul class="plain-list">
        {value?.map((setting) => (
          <Setting key={setting.name} setting={setting} onEdit={() => (asked.value = setting)} />
        ))}
      </ul>
      {asked.value === null ? null : (
        <SettingDialog
          setting={asked.value}
          onClose={() => {
            asked.value = null;
            void refresh();
          }}
        />
      )}
    </Section>
  );
}

function Setting({ setting, onEdit }: { readonly setting: SettingReply; readonly onEdit: () => void }) {
  const words = SETTINGS.machine;
  const { name, value, about, source, restart } = setting;
  return (
    <li class="plain-item setting">
      <div class="grow">
        <div class="row">
          <code class="setting-name">{name}</code>
          <span class="setting-value">{shown(value, words.none)}</span>
          {source === 'default' ? null : <Badge>{words.sources[source]}</Badge>}
          {restart ? <Badge kind="warn">{words.restart}</Badge> : null}
        </div>
        <div class="soft small">{about.replaceAll('`', '')}</div>
      </div>
      <Button disabled={source === 'environment'} onClick={onEdit}>
        {words.edit}
        <span class="unseen"> {name}</span>
      </Button>
    </li>
  );
}

function SettingDialog({ setting, onClose }: { readonly setting: SettingReply; readonly onClose: () => void }) {
  const words = SETTINGS.machine;
  const { name, value, about } = setting;
  const text = useSignal(typed(value));
  return (
    <FormDialog
      title={words.editTitle(name)}
      action={words.edit}
      onSubmit={async () => {
        await ownApi.setSetting(name, parsed(text.value, value));
        say(words.saved);
      }}
      onClose={onClose}
    >
      <p class="soft">{about.replaceAll('`', '')}</p>
      <Field label={words.value} hint={words.valueHint} value={text.value} onInput={(next) => (text.value = next)} />
    </FormDialog>
  );
}
