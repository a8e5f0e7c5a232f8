import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { childEnvironment } from '../support/command';
import { OperatorError, runMain } from '../support/failure';
import { readInventory, type Inventory, type Machine } from '../support/inventory';
import { labDown, machinesUp } from './lab';
import { bootMedia } from './machines/media';
import { sshArguments } from './machines/operator';
import { powerCut, powerOff, powerOn } from './machines/power';

const program = new Command('lab').enablePositionalOptions();
const say = (line: string): void => console.log(line);

function machineNamed(inventory: Inventory, name: string): Machine {
  const machine = inventory.machines.find((candidate) => candidate.name === name);
  if (machine) return machine;
  const names = inventory.machines.map((candidate) => candidate.name).join(', ');
  throw new OperatorError({
    attempted: 'find the machine',
    where: name,
    expected: `one of ${names}`,
    next: 'use one of these names.',
    exitCode: 2,
  });
}

program.command('machines-up').action(async () => machinesUp(readInventory(), say));
program
  .command('down')
  .option('--purge')
  .action(async (o: { purge?: boolean }) => labDown(readInventory(), { purge: o.purge === true }));
program
  .command('power')
  .argument('<how>')
  .argument('<machines...>')
  .action(async (how: string, names: string[]) => {
    const inventory = readInventory();
    const machines = names.map((name) => machineNamed(inventory, name));
    if (how === 'on') {
      const media = await bootMedia();
      await Promise.all(machines.map((machine) => powerOn(inventory, machine, media)));
    } else
      await Promise.all(machines.map((machine) => (how === 'cut' ? powerCut(machine.name) : powerOff(machine.name))));
  });
program
  .command('ssh')
  .argument('<machine>')
  .argument('[command...]')
  .passThroughOptions()
  .action(async (name: string, command: string[]) => {
    const child = spawn('ssh', [...sshArguments(machineNamed(readInventory(), name)), ...command], {
      stdio: 'inherit',
      env: childEnvironment(),
    });
    process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  });
runMain(async () => {
  await program.parseAsync();
  return Number(process.exitCode ?? 0);
});
