import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/overlays.css';
import './styles/shell.css';
import { render } from 'preact';
import { App } from './app.js';
import { startUploads } from './files/queue/uploads.js';
import { startRouter } from './router.js';
import { arriveByLink } from './signin/arrival.js';
import { applyTheme } from './theme.js';

applyTheme();
startRouter();
startUploads();
const root = document.getElementById('app');
if (root !== null) {
  await arriveByLink();
  render(<App />, root);
}
