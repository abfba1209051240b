import { SETUP_PAGE } from './pages.js';
import { session } from './session.js';
import { Shell } from './shell.js';
import { SignIn } from './signin/page.js';
import { Later } from './ui/later.js';
import { Menus } from './ui/menu.js';
import { Toasts } from './ui/toast.js';

/** What this browser may see: the set-up, the sign-in page, or the pages. */
export function App() {
  return (
    <>
      <Stage />
      <Menus />
      <Toasts />
    </>
  );
}

function Stage() {
  const now = session.value;
  if (now?.setup === true) return <Later load={SETUP_PAGE.load} />;
  return now?.user ? <Shell /> : <SignIn />;
}
