import type { FunctionComponent } from 'preact';
import type { IconName } from './ui/icon.js';
import { STRINGS } from './strings.js';

export interface Page {
  /** The first part of its address. */
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  /** Stands in the navigation. */
  readonly listed: boolean;
  /** Loaded when somebody goes there, so that the first load stays small. */
  readonly load: () => Promise<FunctionComponent>;
}

/** Every page for somebody who is signed in, in the order of the navigation. The first one is the start. */
export const PAGES: readonly Page[] = [
  {
    name: 'files',
    title: STRINGS.pages.files,
    icon: 'files',
    listed: true,
    load: async () => (await import('./files/page.js')).FilesPage,
  },
  {
    name: 'trash',
    title: STRINGS.pages.trash,
    icon: 'trash',
    listed: true,
    load: async () => (await import('./files/trash-page.js')).TrashPage,
  },
  {
    name: 'where',
    title: STRINGS.pages.where,
    icon: 'where',
    listed: false,
    load: async () => (await import('./where/page.js')).WherePage,
  },
  {
    name: 'network',
    title: STRINGS.pages.network,
    icon: 'network',
    listed: true,
    load: async () => (await import('./network/page.js')).NetworkPage,
  },
  {
    name: 'health',
    title: STRINGS.pages.health,
    icon: 'health',
    listed: true,
    load: async () => (await import('./health/page.js')).HealthPage,
  },
  {
    name: 'settings',
    title: STRINGS.pages.settings,
    icon: 'settings',
    listed: true,
    load: async () => (await import('./settings/page.js')).SettingsPage,
  },
];

/** While there is no peer in this home yet. */
export const SETUP_PAGE: Page = {
  name: 'setup',
  title: STRINGS.pages.setup,
  icon: 'home',
  listed: false,
  load: async () => (await import('./setup/page.js')).SetupPage,
};
