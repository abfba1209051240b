import type { KitReply } from '../api/types.js';
import { fingerprint, formatTime } from '../format.js';
import { KIT } from '../strings-passphrase.js';
import './kit.css';

/** A recovery kit as it goes on paper; where it stands on a page, nothing but it is printed. */
export function KitSheet({ kit }: { readonly kit: KitReply }) {
  const { user, network, created, words } = kit;
  const facts: readonly (readonly [string, string])[] = [
    [KIT.user, user.name],
    [KIT.fingerprint, fingerprint(user.id)],
    [KIT.network, network],
    [KIT.made, formatTime(created)],
  ];
  return (
    <section class="kit-sheet" aria-label={KIT.title}>
      <h2>{KIT.title}</h2>
      <dl class="kit-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>{KIT.lead}</p>
      <ol class="kit-words">
        {words.map((word, index) => (
          <li key={index}>
            <span class="kit-number">{index + 1}</span> {word}
          </li>
        ))}
      </ol>
      <p>{KIT.use}</p>
      <pre>shoal user recover {user.name}</pre>
      <p>{KIT.useAfter}</p>
      <p class="kit-keep">{KIT.keep}</p>
    </section>
  );
}
