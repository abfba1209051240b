import { useEffect, useRef } from 'preact/hooks';
import { QueuePanel } from './files/queue/panel.js';
import { closeEvents, offline, onEvent, openEvents } from './api/events.js';
import { PAGES, type Page } from './pages.js';
import { place } from './router.js';
import { loadSession, sessionEnded, signOut, user } from './session.js';
import { STRINGS } from './strings.js';
import { chooseTheme, theme } from './theme.js';
import { IconButton, LinkButton } from './ui/button.js';
import { Icon } from './ui/icon.js';
import { Later } from './ui/later.js';
import { Empty } from './ui/notice.js';
import { sayFailure } from './ui/toast.js';

/** The frame around every page of somebody who is signed in. */
export function Shell() {
  const page = pageHere();
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    openEvents(() => void loadSession().catch(() => undefined)); // Away: the banner says so.
    const stop = onEvent('session', sessionEnded);
    return () => {
      stop();
      closeEvents();
    };
  }, []);
  useEffect(() => {
    document.title = page === undefined ? STRINGS.product : `${page.title} · ${STRINGS.product}`;
  }, [page]);
  return (
    <div class="shell">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {STRINGS.skipToContent}
      </a>
      <header class="shell-top">
        <Brand />
        <ThemeButton />
        <SignOutButton />
      </header>
      <Side page={page} />
      <main class="shell-main" id="content" tabIndex={-1} ref={main}>
        {offline.value ? (
          <div class="offline" role="status">
            {STRINGS.offline}
          </div>
        ) : null}
        {page === undefined ? <NoSuchPage /> : <Later key={page.name} load={page.load} />}
      </main>
      <QueuePanel />
    </div>
  );
}

function pageHere(): Page | undefined {
  const [start] = PAGES;
  return place.value.page === '' ? start : PAGES.find(({ name }) => name === place.value.page);
}

function Side({ page }: { readonly page: Page | undefined }) {
  return (
    <header class="shell-side">
      <Brand />
      <nav class="shell-nav" aria-label={STRINGS.navigation}>
        {PAGES.filter(({ listed }) => listed).map(({ name, title, icon }) => (
          <a class="shell-link" href={`/${name}`} key={name} aria-current={page?.name === name ? 'page' : undefined}>
            <Icon name={icon} />
            {title}
          </a>
        ))}
      </nav>
      <div class="shell-foot">
        <span class="shell-user grow" title={user.value?.name}>
          {user.value?.name}
        </span>
        <ThemeButton />
        <SignOutButton />
      </div>
    </header>
  );
}

function Brand() {
  return (
    <a class="brand" href="/files">
      <img src="/shoal.svg" alt="" />
      {STRINGS.product}
    </a>
  );
}

function SignOutButton() {
  return <IconButton icon="signOut" label={STRINGS.signIn.signOut} onClick={() => void signOut().catch(sayFailure)} />;
}

export function ThemeButton() {
  const dark =
    theme.value === 'dark' || (theme.value === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  return (
    <IconButton
      icon={dark ? 'sun' : 'moon'}
      label={dark ? STRINGS.theme.toLight : STRINGS.theme.toDark}
      onClick={() => chooseTheme(dark ? 'light' : 'dark')}
    />
  );
}

function NoSuchPage() {
  return (
    <Empty icon="search" title={STRINGS.nothingHere}>
      <p>{STRINGS.nothingHereHint}</p>
      <LinkButton href="/files">{STRINGS.toFiles}</LinkButton>
    </Empty>
  );
}
