import { Command } from 'commander';
import { runCommandLine } from '../support/command-line';
import { runMain } from '../support/failure';
import { assertStartAllowed } from '../support/isolation/startup';
import { registerForge } from './forge/command';
import { registerLab } from './lab-commands';
import { registerMachines } from './lab-machine-commands';

const program = new Command('lab')
  .description('The lab: three machines with the sandbox on them, on this one machine.')
  .enablePositionalOptions()
  .configureOutput({ outputError: () => undefined })
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  npm run lab -- up
  npm run lab -- status --watch
  npm run lab -- up --help

Exit code: 0 done, 1 it failed, 2 wrong arguments or something is lacking, 3 refused by the isolation boundary, 130 interrupted.`,
  );
// Before any command, but not before its help.
program.hook('preAction', () => assertStartAllowed());
registerLab(program);
registerMachines(program);
registerForge(program);

runMain(async () => {
  await runCommandLine('lab', () => program.parseAsync());
  return Number(process.exitCode ?? 0);
});
