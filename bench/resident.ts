import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchies } from '../sandbox/machines/cgroups';
import { cgroupParent } from '../sandbox/machines/layout';
import { OperatorError } from '../support/failure';

/** Bytes of memory that a group of processes holds. */
export interface Resident {
  /** What the processes allocated. */
  anonymous: number;
  /** Pages of files they have mapped: programs and libraries. The rest of the page cache is the kernel's to take back. */
  mapped: number;
}

/** Reads a memory.stat of either cgroup version (cgroups(7)); v1 counts child groups in its `total_` lines. */
export function parseMemoryStat(text: string): Resident | undefined {
  const field = (name: string): number | undefined => {
    const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const anonymous = field('total_rss') ?? field('anon');
  const mapped = field('total_mapped_file') ?? field('file_mapped');
  return anonymous === undefined || mapped === undefined ? undefined : { anonymous, mapped };
}

/**
 * What a machine of the lab holds now, pods included; all of them without a name.
 * @throws OperatorError when no lab is up.
 */
export function residentNow(machine = ''): Resident {
  for (const { mount } of hierarchies()) {
    const read = parseMemoryStat(textOf(join(mount, cgroupParent, machine, 'memory.stat')));
    if (read !== undefined) return read;
  }
  throw new OperatorError({
    attempted: 'read the memory of the lab',
    expected: `the cgroup ${join(cgroupParent, machine)}`,
    seen: 'none with memory.stat',
    next: 'run `npm run lab -- up` first.',
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
