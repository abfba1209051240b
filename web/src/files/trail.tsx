import { placeUrl } from '../location.js';
import { STRINGS } from '../strings.js';
import { Icon } from '../ui/icon.js';
import { find, folder } from './folder.js';
import { shownName } from './names.js';
import { trail } from './paths.js';

/** Where one is, and the way back up. The last part is the heading of the page. */
export function Trail() {
  const parts = trail(folder.value);
  const labelOf = (name: string) => (name === '' ? STRINGS.pages.files : shownName(name));
  return (
    <nav class="trail" aria-label={STRINGS.files.trail}>
      <ol>
        {parts.slice(0, -1).map(({ name, path }) => (
          <li key={path}>
            <a href={placeUrl('files', { path: path === '/' ? undefined : path })}>{labelOf(name)}</a>
            <Icon name="chevronRight" />
          </li>
        ))}
        <li>
          <h1>
            {find.value === ''
              ? labelOf(parts.at(-1)?.name ?? '')
              : STRINGS.files.searchIn(labelOf(parts.at(-1)?.name ?? ''))}
          </h1>
        </li>
      </ol>
    </nav>
  );
}
