import Table from 'cli-table3';
import type { LabStatus, MachineStatus } from './lab-status';

/** The status as an operator reads it. */
export function showStatus(status: LabStatus): string {
  const blocks = [headline(status), machines(status)];
  if (Object.keys(status.stages).length > 0) blocks.push(stages(status));
  blocks.push(endpoints(status), parts(status), footer(status));
  return blocks.join('\n\n');
}

const plain = { style: { head: [], border: [] } };

function headline(status: LabStatus): string {
  const from = status.from === undefined ? '' : ` (from ${status.from}, begun ${status.since})`;
  const busy = status.busy
    ? `\nProcess ${status.busy.pid} works on it since ${status.busy.since}: ${status.busy.command}`
    : '';
  const idle = !status.busy && (status.status === 'converging' || status.status === 'recovering');
  return `The lab is ${status.status}${from}.${busy}${idle ? '\nNobody is at it: `npm run lab -- up` goes on.' : ''}`;
}

function machines(status: LabStatus): string {
  const table = new Table({ head: ['machine', 'address', 'power', 'for', 'memory', 'services'], ...plain });
  for (const machine of status.machines) {
    table.push([
      machine.name,
      machine.address,
      machine.power,
      duration(machine.uptimeSeconds),
      mebibytes(machine.memoryBytes),
      services(machine),
    ]);
  }
  return table.toString();
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
  const table = new Table({ head: ['stage', 'state', 'seconds'], ...plain });
  for (const [name, stage] of Object.entries(status.stages)) {
    const state = stage.ended ? 'done' : stage.error ? `failed: ${stage.error.slice(0, 80)}` : 'begun';
    table.push([name, state, stage.seconds?.toFixed(1) ?? '']);
  }
  return table.toString();
}

function endpoints(status: LabStatus): string {
  const table = new Table({ head: ['endpoint', 'address', 'answers'], ...plain });
  for (const { name, endpoint, answers } of status.endpoints) table.push([name, endpoint, answers ? 'yes' : 'no']);
  return table.toString();
}

function parts(status: LabStatus): string {
  const table = new Table({ head: ['part', 'plays', 'version', 'provenance', 'from', 'state'], ...plain });
  for (const part of status.components)
    table.push([part.name, part.role, part.version, part.provenance, part.source, part.state]);
  return table.toString();
}

function footer(status: LabStatus): string {
  const kept = status.snapshots.map(({ name, created }) => `${name} (${created})`).join(', ') || 'none';
  const edge = status.edge
    ? [
        `Edge: ${status.edge.outOfLab + status.edge.forwarded} packets out of the lab dropped, ${status.edge.labToProduction} of them to production`,
      ]
    : [];
  return [
    `Disk: ${mebibytes(status.disk.bytes)} of ${status.disk.image}${status.disk.mounted ? '' : ' (not mounted)'}; memory: ${mebibytes(status.memoryBytes)}; snapshots: ${kept}`,
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
