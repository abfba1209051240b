import { checkSetting, OPTIONS, readSettings, sourceOf, type Config, type Option } from '../config.js';
import { StorageError } from '../errors.js';
import type { SettingsSource } from '../gateways/http/settings-routes.js';
import type { SettingReply } from '../gateways/http/web-api.js';
import { changeSettings } from '../home.js';

/** They say which files are read, which processes there are and who may come in: for whoever is at the machine itself. */
const OF_THE_MACHINE: ReadonlySet<Option['name']> = new Set(['couch', 'separate', 'web', 'webHosts']);

/** The settings of a running peer, and what its file says for the next start. */
export class Settings implements SettingsSource {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  list(): readonly SettingReply[] {
    const file = readSettings(this.#config.home);
    return OPTIONS.map((option) => {
      const { name, about } = option;
      const inForce = this.#config[name];
      const source = sourceOf(this.#config, name);
      const restart = source !== 'environment' && !isSame(checkSetting(option, file[name]), inForce);
      const value: unknown = inForce ?? null;
      return { name, value, about, source, restart, changeable: this.#isChangeable(name) };
    });
  }

  /** @throws StorageError INVALID_ARGUMENT, PERMISSION_DENIED; then none of them is changed */
  async change(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const checked: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(changes)) {
      const option = OPTIONS.find((each) => each.name === name);
      if (option === undefined) throw new StorageError('INVALID_ARGUMENT', `There is no setting "${name}".`);
      if (!this.#isChangeable(option.name)) throw notHere(option, sourceOf(this.#config, option.name));
      checkSetting(option, value ?? undefined);
      checked[name] = value ?? undefined;
    }
    await changeSettings(this.#config.home, checked);
  }

  #isChangeable(name: Option['name']): boolean {
    return !OF_THE_MACHINE.has(name) && sourceOf(this.#config, name) !== 'environment';
  }
}

function notHere({ name, variable }: Option, source: ReturnType<typeof sourceOf>): StorageError {
  const why =
    source === 'environment'
      ? `is set by ${variable} or a flag, which count before the file`
      : 'is for whoever is at the machine: change it in config.json of the peer’s home';
  return new StorageError('PERMISSION_DENIED', `The setting "${name}" ${why}.`);
}

/** Settings are JSON, and URLs. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
