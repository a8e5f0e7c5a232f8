import { Command } from 'commander';
import { runMain } from '../support/failure';
import { assertStartAllowed } from '../support/isolation/startup';
import { registerForge } from './forge/command';
import { registerLab } from './lab-commands';
import { registerMachines } from './lab-machine-commands';

const program = new Command('lab')
  .description('The lab: three machines with the sandbox on them, on this one machine.')
  .enablePositionalOptions();
// Before any command, but not before its help.
program.hook('preAction', () => assertStartAllowed());
registerLab(program);
registerMachines(program);
registerForge(program);

runMain(async () => {
  await program.parseAsync();
  return Number(process.exitCode ?? 0);
});
