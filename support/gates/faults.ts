import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../failure';
import type { Fault, FaultContext } from '../fault';
import { cacheHome, factoryHome } from '../paths';
import type { Systems } from '../systems';

/** What FACTORY was before any fault. */
const ownFactory = process.env['FACTORY'];

/** What never belongs into a copy of the factory. */
const leftOut = /^(\.terraform.*|__pycache__|node_modules)$/;

/** A fault in the factory's sources: the suite runs on a copy (FACTORY) with one file changed, the lab stays as it is. */
export function factoryFault(name: string, breaks: string, path: string, change: (text: string) => string): Fault {
  const folder = join(cacheHome, 'faults', name);
  return {
    name,
    breaks,
    plant: () => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(factoryHome, folder, { recursive: true, filter: (from) => !leftOut.test(basename(from)) });
      const file = join(folder, path);
      const text = readFileSync(file, 'utf8');
      const changed = change(text);
      if (changed === text) throw nothingChanged(name, path);
      writeFileSync(file, changed);
      process.env['FACTORY'] = folder;
      return Promise.resolve();
    },
    heal: () => {
      if (ownFactory === undefined) delete process.env['FACTORY'];
      else process.env['FACTORY'] = ownFactory;
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

/** A file that somebody changed by hand on the machine of an inventory group: one line at its end. */
export function handEditedFile(name: string, breaks: string, group: string, file: string): Fault {
  const line = '# changed by hand';
  const onMachine = async ({ target }: FaultContext, script: string): Promise<void> => {
    const machine = target.inventory.machines.find(({ groups }) => groups.includes(group));
    if (machine === undefined) throw nothingChanged(name, `machine of group ${group}`);
    await target.onMachine(machine.name, [script]);
  };
  return {
    name,
    breaks,
    plant: (context) => onMachine(context, `echo '${line}' >> ${file}`),
    heal: (context) => onMachine(context, `sed -i '/^${line}$/d' ${file}`),
  };
}

/** A Vault policy that somebody changed by hand: text is added, and taken away again. */
export function editedPolicy(name: string, breaks: string, policy: string, addition: string): Fault {
  const path = `sys/policies/acl/${policy}`;
  const shape = z.object({ policy: z.string() });
  const rewrite = async ({ vault }: Systems, change: (text: string) => string): Promise<void> => {
    const current = await vault.read(path, shape);
    if (current === undefined) throw nothingChanged(name, path);
    await vault.write(path, { policy: change(current.policy) });
  };
  return {
    name,
    breaks,
    plant: ({ systems }) => rewrite(systems, (text) => text + addition),
    heal: ({ systems }) => rewrite(systems, (text) => text.replaceAll(addition, '')),
  };
}

/** A statement at Postgres behind everybody's back, and the one that takes it back. */
export function statement(name: string, breaks: string, plant: string, heal: string): Fault {
  const execute =
    (sql: string) =>
    async ({ systems }: FaultContext): Promise<void> => {
      await systems.postgres.connected('postgres', (connection) => connection.execute(sql));
    };
  return { name, breaks, plant: execute(plant), heal: execute(heal) };
}

function nothingChanged(fault: string, where: string): OperatorError {
  return new OperatorError({
    attempted: `plant the fault ${fault}`,
    where,
    expected: 'a place to change',
    seen: 'none',
    next: 'bring the fault in line with the factory.',
  });
}
