import { useSignal } from '@preact/signals';
import { peersApi } from '../api/admin-api.js';
import { networkApi } from '../api/network-api.js';
import { status as liveStatus } from '../api/events.js';
import type { NetworkReply, PeerReply, StatusReply } from '../api/types.js';
import { fingerprint } from '../format.js';
import { STRINGS } from '../strings.js';
import { NETWORK } from '../strings-network.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { usePolled } from '../ui/use-polled.js';
import { BackupHosts } from './backup-hosts.js';
import { EditDialog } from './edit-dialog.js';
import { Invitations } from './invitations.js';
import { InviteDialog } from './invite-dialog.js';
import { MachineList } from './machine-list.js';
import { NetworkMap } from './map.js';
import { PeerDetails } from './peer-details.js';
import { membersOf } from './peers.js';
import { RemoveDialog } from './remove-dialog.js';
import '../styles/facts.css';
import './network.css';

/** Each asks all peers how they are; events tell of changes sooner. */
const POLL_MS = 5000;

type Asked = { readonly kind: 'invite' } | { readonly kind: 'edit' | 'remove'; readonly peer: PeerReply };

interface Loaded {
  readonly network: NetworkReply;
  readonly peers: readonly PeerReply[];
  readonly status: StatusReply;
}

/** Who belongs to the network and how they are; letting machines in, and putting them out. */
export function NetworkPage() {
  const { state, refresh } = usePolled(
    async (signal): Promise<Loaded> => {
      const [network, peers, status] = await Promise.all([
        peersApi.network({ signal }),
        peersApi.peers({ signal }),
        networkApi.status({ signal }),
      ]);
      return { network, peers, status };
    },
    { everyMs: POLL_MS },
  );
  const asked = useSignal<Asked | null>(null);
  const { value, failure } = state.value;
  const close = (): void => {
    asked.value = null;
    void refresh();
  };
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.network}</h1>
        {value?.network.peer.authority === true ? (
          <Button kind="primary" icon="plus" onClick={() => (asked.value = { kind: 'invite' })}>
            {NETWORK.invite}
          </Button>
        ) : null}
      </div>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value === null ? (
        failure === '' ? (
          <Spinner />
        ) : null
      ) : (
        <Overview loaded={value} onAsk={(ask) => (asked.value = ask)} />
      )}
      {asked.value?.kind === 'invite' ? <InviteDialog onClose={close} /> : null}
      {asked.value?.kind === 'edit' ? <EditDialog peer={asked.value.peer} onClose={close} /> : null}
      {asked.value?.kind === 'remove' ? <RemoveDialog peer={asked.value.peer} onClose={close} /> : null}
    </div>
  );
}

function Overview({ loaded, onAsk }: { readonly loaded: Loaded; readonly onAsk: (ask: Asked) => void }) {
  const { network, peers } = loaded;
  const status = newest(liveStatus.value, loaded.status);
  const members = membersOf(peers, status);
  const chosen = useSignal<string | null>(null);
  const peer = members.find(({ id }) => id === chosen.value) ?? null;
  const self = network.peer.id;
  const ask = (kind: 'edit' | 'remove') => (about: PeerReply) => onAsk({ kind, peer: about });
  const list = { members, self, isAuthority: network.peer.authority, onEdit: ask('edit'), onRemove: ask('remove') };
  return (
    <>
      <Headline network={network} members={members} />
      <section class="card network-map-card">
        <NetworkMap members={members} self={self} chosen={chosen.value} onChoose={(id) => (chosen.value = id)} />
        <PeerDetails {...list} peer={peer} />
      </section>
      <MachineList {...list} />
      <div class="network-columns">
        <Invitations peers={peers} network={network} />
        <BackupHosts sync={status.sync} members={members} />
      </div>
    </>
  );
}

/** Events tell of changes; whoever has just asked knows no less. */
function newest(live: StatusReply | null, asked: StatusReply): StatusReply {
  return live ?? asked;
}

function Headline({ network, members }: { readonly network: NetworkReply; readonly members: readonly PeerReply[] }) {
  const { k, m, name } = network;
  const places = new Set(members.map(({ zone }) => zone)).size;
  if (k === 0) {
    return (
      <>
        <p class="network-headline">
          <strong>{name}</strong>
        </p>
        <Notice kind="warn">{NETWORK.tooFew(members.length)}</Notice>
      </>
    );
  }
  return (
    <p class="network-headline">
      <strong>{name}</strong>
      <span>
        {members.length} {NETWORK.machines.toLowerCase()} · {NETWORK.places(places)} · {NETWORK.mayFail(m)}
      </span>
      <span class="soft small">
        {NETWORK.scheme(k, m)} · {NETWORK.fingerprint}: <code>{fingerprint(network.fingerprint)}</code>
      </span>
    </p>
  );
}
