import { peersApi } from '../api/admin-api.js';
import type { InvitationReply, NetworkReply, PeerReply } from '../api/types.js';
import { formatAgo } from '../format.js';
import { NETWORK } from '../strings-network.js';
import { Button } from '../ui/button.js';
import { Badge, Notice } from '../ui/notice.js';
import { say, sayFailure } from '../ui/toast.js';
import { usePolled } from '../ui/use-polled.js';

const POLL_MS = 5000;

interface InvitationsProps {
  readonly peers: readonly PeerReply[];
  readonly network: NetworkReply;
}

/** Who was invited, and whether somebody has come. */
export function Invitations({ peers, network }: InvitationsProps) {
  const { state, refresh } = usePolled((signal) => peersApi.invitations({ signal }), { everyMs: POLL_MS });
  const { value, failure } = state.value;
  const revoke = (id: string): void => {
    peersApi
      .revoke(id)
      .then(() => say(NETWORK.revoked), sayFailure)
      .finally(() => void refresh());
  };
  const isAuthority = network.peer.authority;
  const newestFirst = [...(value ?? [])].reverse();
  return (
    <section class="card">
      <h2>{NETWORK.invitations}</h2>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {isAuthority ? null : (
        <p class="soft">
          {NETWORK.notHere} {network.authorities.join(', ')}.
        </p>
      )}
      {isAuthority && newestFirst.length === 0 ? <p class="soft">{NETWORK.noInvitations}</p> : null}
      <ul class="plain-list">
        {newestFirst.map((invitation) => (
          <Invitation key={invitation.id} invitation={invitation} peers={peers} onRevoke={revoke} />
        ))}
      </ul>
    </section>
  );
}

interface InvitationProps {
  readonly invitation: InvitationReply;
  readonly peers: readonly PeerReply[];
  readonly onRevoke: (id: string) => void;
}

function Invitation({ invitation, peers, onRevoke }: InvitationProps) {
  const { id, note, state, expires, authority, peer } = invitation;
  const who = peers.find((each) => each.id === peer)?.name ?? peer?.slice(0, 12) ?? '';
  return (
    <li class="plain-item">
      <div class="grow">
        <div>{note === '' ? <span class="soft">{NETWORK.unnamed}</span> : note}</div>
        <div class="soft small">
          <code>{id}</code>
          {authority ? ` · ${NETWORK.authority}` : ''}
          {state === 'open' ? ` · ${NETWORK.invitedBy(formatAgo(expires))}` : ''}
        </div>
      </div>
      {state === 'open' ? (
        <>
          <Badge kind="good">{NETWORK.open}</Badge>
          <Button onClick={() => onRevoke(id)}>{NETWORK.revoke}</Button>
        </>
      ) : (
        <Badge>{state === 'used' ? NETWORK.used(who) : NETWORK.expired}</Badge>
      )}
    </li>
  );
}
