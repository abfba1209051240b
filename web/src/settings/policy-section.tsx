import { peersApi } from '../api/admin-api.js';
import type { PolicyReply } from '../api/types.js';
import { SETTINGS } from '../strings-settings.js';
import { Choice } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { say, sayFailure } from '../ui/toast.js';
import { usePolled } from '../ui/use-polled.js';
import { Section } from './section.js';

const AUTOMATIC = 'automatic';
/** More side by side are no choice any more; the command line takes any number. */
const MOST_OFFERED = 4;

/** How many machines may fail. */
export function PolicySection() {
  const words = SETTINGS.policy;
  const { state, refresh } = usePolled((signal) => peersApi.policy({ signal }));
  const { value, failure } = state.value;
  const choose = (chosen: string): void => {
    peersApi
      .setPolicy(chosen === AUTOMATIC ? null : Number(chosen))
      .then(() => say(words.saved), sayFailure)
      .finally(() => void refresh());
  };
  return (
    <Section title={words.title} lead={words.lead}>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value === null ? failure === '' ? <Spinner /> : null : <Policy policy={value} onChoose={choose} />}
    </Section>
  );
}

function Policy({ policy, onChoose }: { readonly policy: PolicyReply; readonly onChoose: (chosen: string) => void }) {
  const words = SETTINGS.policy;
  const { tolerate, k, m, mostTolerated, changeable } = policy;
  const most = Math.max(Math.min(mostTolerated, MOST_OFFERED), tolerate ?? 0);
  const numbers = Array.from({ length: most }, (_unused, index) => String(index + 1));
  return (
    <>
      {changeable ? (
        <Choice
          label={words.tolerate}
          options={[{ value: AUTOMATIC, label: words.automatic }, ...numbers.map((value) => ({ value, label: value }))]}
          value={tolerate === null ? AUTOMATIC : String(tolerate)}
          onChange={onChoose}
        />
      ) : (
        <p class="soft">{words.notHere}</p>
      )}
      <p>{k === 0 ? words.tooFew : `${words.now(k, m)} ${words.overhead(Math.round(((k + m) / k) * 100))}`}</p>
    </>
  );
}
