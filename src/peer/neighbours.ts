import { SERVICES, type Config, type Service } from '../config.js';
import { StorageError, wrapError } from '../errors.js';
import type { MissingService } from '../gateways/http/routes.js';
import { ServiceClient } from '../gateways/http/service-client.js';
import { PING_TIMEOUT_MS, SERVICE_POLL_MS, SERVICE_START_MS } from '../limits.js';
import { rest } from '../on-abort.js';
import { controlSocketOf, NEEDS } from '../services/service-names.js';
import { socketPath } from '../socket-path.js';
import { timeLimit } from '../time-limit.js';
import type { Base } from './base.js';

/** The services of this peer that other processes run, as far as those of this one ask something of them. */
export class Neighbours {
  readonly #config: Config;
  readonly #needed: readonly Service[];

  constructor(config: Config, running: ReadonlySet<Service>) {
    this.#config = config;
    const needed = new Set([...running].flatMap((service) => NEEDS[service]));
    this.#needed = [...needed].filter((service) => !running.has(service));
  }

  client(service: Service): ServiceClient {
    const { home, separate } = this.#config;
    return new ServiceClient(service, socketPath(home, controlSocketOf(service, separate)));
  }

  /** The other processes of this peer, each by a service that it runs. */
  others(running: ReadonlySet<Service>): readonly ServiceClient[] {
    const { separate } = this.#config;
    const apart = separate.filter((service) => !running.has(service));
    // Those that are not separate are one process.
    const joint = SERVICES.find((service) => !separate.includes(service) && !running.has(service));
    return (joint === undefined ? apart : [...apart, joint]).map((service) => this.client(service));
  }

  /** Asks all of them at once. */
  async missing(signal: AbortSignal): Promise<readonly MissingService[]> {
    const found = await Promise.all(this.#needed.map((service) => this.#missing(service, signal)));
    return found.filter((one) => one !== undefined);
  }

  async #missing(service: Service, signal: AbortSignal): Promise<MissingService | undefined> {
    using patience = timeLimit(PING_TIMEOUT_MS, signal);
    try {
      await this.client(service).json({ method: 'GET', path: '/v1/live', signal: patience.signal });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return { service, message: wrapError(error, `Asking ${service}`).message };
    }
  }
}

/**
 * Asks again until a service in another process answers: processes of one peer may be started in any order.
 *
 * @throws what it last failed with, after SERVICE_START_MS; the signal's reason on abort
 */
export async function untilUp<T>({ logger, signal }: Base, service: Service, ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + SERVICE_START_MS;
  for (let told = false; ; told = true) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = wrapError(error, `Asking ${service}`);
      // A secret or a socket that is not there yet is made by the process that is waited for.
      const isMissing = code === 'UNAVAILABLE' || code === 'NOT_FOUND' || code === 'TIMEOUT';
      if (!isMissing) throw error;
      if (performance.now() > deadline) throw new StorageError('UNAVAILABLE', message, { cause: error });
      if (!told) logger.warn({ service, reason: message }, 'waiting for another service of this peer');
    }
    await rest(SERVICE_POLL_MS, signal);
    signal.throwIfAborted();
  }
}
