import type { PassphraseReply } from '../gateways/http/user-api.js';
import type { Invocation } from './invocation.js';

/** Programs still come in by what they were given before a user's secret was replaced. */
export function noteTokens(invocation: Invocation, { tokens }: Pick<PassphraseReply, 'tokens'>): void {
  if (tokens === 0) return;
  const good = tokens === 1 ? '1 token of a program is' : `${String(tokens)} tokens of programs are`;
  invocation.note(`${good} still good. See which with \`shoal token list\`, end one with \`shoal token rm ID\`.`);
}
