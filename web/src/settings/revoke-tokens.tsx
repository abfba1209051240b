import { SETTINGS } from '../strings-settings.js';
import { Switch } from '../ui/field.js';
import { Notice } from '../ui/notice.js';

interface RevokeTokensProps {
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
}

/** Whether programs lose what they were given, when a secret is replaced. */
export function RevokeTokens(props: RevokeTokensProps) {
  return (
    <div class="row">
      <Switch label={SETTINGS.revokeTokens} {...props} />
      <span class="small">{SETTINGS.revokeTokens}</span>
    </div>
  );
}

/** What is still open to programs, after that. */
export function TokensLeft({ tokens }: { readonly tokens: number }) {
  return tokens === 0 ? null : <Notice kind="warn">{SETTINGS.tokensLeft(tokens)}</Notice>;
}
