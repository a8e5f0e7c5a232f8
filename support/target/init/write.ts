import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ConfiguredTarget } from '../../configuration/read';
import { OperatorError } from '../../failure';
import { describeLab } from './lab';
import {
  inventoryTemplate,
  k3dCommands,
  k3dTemplate,
  startingK3d,
  startingVms,
  vmsCommands,
  vmsTemplate,
} from './templates';

export interface InitOptions {
  out: string;
  /** Replace files that are there. */
  force: boolean;
  /** Print the configuration instead of writing it. */
  print: boolean;
  /** Describe the machines of the lab that is up on this machine. */
  fromLab: boolean;
}

/** Writes a starting configuration with its inventory beside it. @returns what to read next. */
export function writeStarting(target: ConfiguredTarget, options: InitOptions): string {
  const { configuration, inventory } = options.fromLab ? describeLab(target) : starting(target);
  if (options.print) return configuration;
  const file = resolve(options.out);
  const beside = join(dirname(file), 'sandbox.inventory.yaml');
  for (const there of [file, beside].filter((path) => existsSync(path) && !options.force)) {
    throw new OperatorError({
      attempted: 'write a starting configuration',
      where: there,
      seen: 'a file is there already',
      next: 'name another with --out, or replace it with --force.',
      exitCode: 2,
    });
  }
  writeFileSync(file, configuration, { mode: 0o600 });
  writeFileSync(beside, inventory, { mode: 0o600 });
  const commands = options.fromLab ? [] : ['', target === 'vms' ? vmsCommands : k3dCommands];
  return [
    `${file} and ${beside} are written.`,
    ...commands,
    '',
    `Next: ${options.fromLab ? '' : 'correct the addresses and files in both, then '}\`${checkCommand(target, file)}\`.`,
  ].join('\n');
}

function checkCommand(target: ConfiguredTarget, file: string): string {
  return `SANDBOX_CONFIG=${file} TARGET=${target} npm run target -- check`;
}

function starting(target: ConfiguredTarget): { configuration: string; inventory: string } {
  return target === 'vms'
    ? { configuration: vmsTemplate(), inventory: inventoryTemplate(startingVms) }
    : { configuration: k3dTemplate(), inventory: inventoryTemplate(startingK3d) };
}
