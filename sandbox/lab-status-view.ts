import type { LabStatus, MachineStatus } from './lab-status';
import { localTime } from '../support/terminal';
import { table } from './lab-table';

/** The status as an operator reads it. */
export function showStatus(status: LabStatus): string {
  const blocks = [headline(status), machines(status)];
  if (Object.keys(status.stages).length > 0) blocks.push(stages(status));
  blocks.push(endpoints(status), parts(status), footer(status));
  return blocks.join('\n\n');
}

/** What changes while one looks: machines, stages and endpoints, with the time of the look. */
export function showLive(status: LabStatus, at: Date): string {
  const blocks = [`${localTime(at)}  ${headline(status)}`, machines(status)];
  if (Object.keys(status.stages).length > 0) blocks.push(stages(status));
  return [...blocks, endpoints(status), footer(status)].join('\n');
}

function headline(status: LabStatus): string {
  const from = status.from === undefined ? '' : ` (from ${status.from}, begun ${localTime(status.since ?? '')})`;
  const busy = status.busy
    ? `\nProcess ${status.busy.pid} works on it since ${localTime(status.busy.since)}: ${status.busy.command}`
    : '';
  const off = status.machines.filter((machine) => machine.power === 'off').map((machine) => machine.name);
  const dark = status.status !== 'down' && off.length > 0 ? `\nOff: ${off.join(', ')}.` : '';
  const idle = !status.busy && (status.status === 'converging' || status.status === 'recovering');
  return `The lab is ${status.status}${from}.${busy}${idle ? '\nNobody is at it: `npm run lab -- up` goes on.' : ''}${dark}`;
}

function machines(status: LabStatus): string {
  return table(
    ['machine', 'address', 'power', 'for', 'memory', 'services'],
    status.machines.map((machine) => [
      machine.name,
      machine.address,
      machine.power,
      duration(machine.uptimeSeconds),
      mebibytes(machine.memoryBytes),
      services(machine),
    ]),
  );
}

/** Running services by name; those that are not, with their state. */
function services(machine: MachineStatus): string {
  const names = machine.services.map(({ name, state }) =>
    state === 'run' ? name : `${name} (${state.toUpperCase()})`,
  );
  const rows: string[] = [];
  for (let at = 0; at < names.length; at += 4) rows.push(names.slice(at, at + 4).join(' '));
  return rows.join('\n');
}

function stages(status: LabStatus): string {
  return table(
    ['stage', 'state', 'seconds'],
    Object.entries(status.stages).map(([name, stage]) => {
      const state = stage.ended ? 'done' : stage.error ? `failed: ${stage.error.slice(0, 80)}` : 'begun';
      return [name, state, stage.seconds?.toFixed(1) ?? ''];
    }),
  );
}

function endpoints(status: LabStatus): string {
  return table(
    ['endpoint', 'address', 'answers'],
    status.endpoints.map(({ name, endpoint, answers }) => [name, endpoint, answers ? 'yes' : 'no']),
  );
}

function parts(status: LabStatus): string {
  return table(
    ['part', 'plays', 'version', 'provenance', 'from', 'state'],
    status.components.map((part) => [part.name, part.role, part.version, part.provenance, part.source, part.state]),
  );
}

function footer(status: LabStatus): string {
  const kept = status.disk.mounted
    ? status.snapshots.map(({ name, created }) => `${name} (${localTime(created)})`).join(', ') || 'none'
    : 'not seen while the disk is not mounted';
  const edge = status.edge
    ? [
        `Edge: ${status.edge.outOfLab + status.edge.forwarded} packets out of the lab dropped, ${status.edge.labToProduction} of them to production`,
      ]
    : [];
  return [
    `Disk: ${mebibytes(status.disk.bytes)} of ${status.disk.image}${status.disk.mounted ? '' : ' (not mounted)'}; memory: ${mebibytes(status.memoryBytes) || 'none in use'}; snapshots: ${kept}`,
    ...edge,
  ].join('\n');
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function duration(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}
