import type { MachineReply, SafetyReply } from '../api/types.js';
import { formatAgo, formatTime } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { Badge, type NoticeKind } from '../ui/notice.js';

const STANDINGS: Readonly<Record<MachineReply['standing'], NoticeKind>> = {
  up: 'good',
  down: 'warn',
  gone: 'bad',
  distrusted: 'bad',
};

/** Which machines may fail now, and which zones as a whole. */
export function MayFail({ safety }: { readonly safety: SafetyReply }) {
  const { machines, compared } = safety;
  // Where each zone is one machine, the table above says all.
  const zones = safety.zones.some((zone) => zone.machines > 1) ? safety.zones : [];
  const { mayFail } = HEALTH;
  return (
    <section class="card" aria-labelledby="health-may-fail">
      <h2 id="health-may-fail">{mayFail.title}</h2>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{mayFail.machine}</th>
            <th scope="col" class="table-wide">
              {mayFail.zone}
            </th>
            <th scope="col">{mayFail.standing}</th>
            <th scope="col">{mayFail.may}</th>
          </tr>
        </thead>
        <tbody>
          {machines.map((machine) => (
            <tr key={machine.id}>
              <th scope="row">
                {machine.name}
                {machine.denied === 0 ? null : <div class="soft small">{mayFail.denied(machine.denied)}</div>}
              </th>
              <td class="table-wide">{machine.zone === '' ? '–' : machine.zone}</td>
              <td>
                <Badge kind={STANDINGS[machine.standing]}>{mayFail.standings[machine.standing]}</Badge>
              </td>
              <td>
                <Answer may={machine.mayFail} standing={machine.standing} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {zones.length < 2 ? null : <Zones zones={zones} />}
      <p class="soft small health-note">
        {compared === null ? mayFail.notCompared : mayFail.compared}
        {compared === null ? null : (
          <time dateTime={compared} title={formatTime(compared)}>
            {formatAgo(compared)}
          </time>
        )}
      </p>
    </section>
  );
}

function Zones({ zones }: Pick<SafetyReply, 'zones'>) {
  const { mayFail } = HEALTH;
  return (
    <>
      <h3 class="health-sub">{mayFail.zones}</h3>
      <table class="table" aria-label={mayFail.zones}>
        <thead>
          <tr>
            <th scope="col">{mayFail.zone}</th>
            <th scope="col">{mayFail.machines}</th>
            <th scope="col">{mayFail.mayWhole}</th>
          </tr>
        </thead>
        <tbody>
          {zones.map(({ zone, machines, up, mayFail: may }) => (
            <tr key={zone}>
              <th scope="row">{zone}</th>
              <td>{mayFail.upOf(up, machines)}</td>
              <td>
                <Answer may={may} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

interface AnswerProps {
  readonly may: boolean | null;
  readonly standing?: MachineReply['standing'];
}

function Answer({ may, standing }: AnswerProps) {
  const { mayFail } = HEALTH;
  if (may === null) return <span class="soft">{standing === 'distrusted' ? mayFail.asFailed : mayFail.failed}</span>;
  return may ? <>{mayFail.yes}</> : <strong class="health-no">{mayFail.no}</strong>;
}
