import type { Command } from 'commander';
import { labDown, stateOfDisk } from './lab';
import { requirements } from './lab-doctor';
import { installMissing } from './lab-host';
import { interruptible } from './lab-interrupt';
import { labInventory } from './machines/layout';
import { withLab } from './lab-hold';
import { showRequirements } from './lab-doctor-view';
import { labStatus } from './lab-status';
import { showStatus } from './lab-status-view';
import { watchStatus } from './lab-watch';
import { convergedSnapshot, listSnapshots, takeSnapshot } from './machines/snapshots';
import { progressReporter } from './progress';
import { OperatorError } from '../support/failure';
import { localTime } from '../support/terminal';

/** Adds the commands that make, keep and take away the lab. */
export function registerLab(program: Command): void {
  program
    .command('up')
    .description('bring the lab up: from nothing, from a snapshot of the same sources, or on from where it stopped')
    .option('--fresh', 'begin from nothing although a lab or a snapshot is there', false)
    .option('--machines-only', 'only network, disk and machines', false)
    .addHelpText('after', examples('lab up', 'lab up --fresh', 'lab up --machines-only'))
    .action(async (options: { fresh: boolean; machinesOnly: boolean }) => {
      const { labUp } = bringingUp();
      const onProgress = progressReporter(process.stderr);
      const state = await interruptible((signal) => labUp(labInventory(), { ...options, onProgress, signal }));
      console.log(
        options.machinesOnly
          ? 'The machines are on.'
          : `The lab is ${state.status}. \`npm run lab -- status\` shows its parts.`,
      );
    });
  program
    .command('down')
    .description(
      'take the lab away; a disk image that holds a snapshot stays, as do the secrets and the built components',
    )
    .option('--purge', 'remove the disk image with its snapshots too', false)
    .addHelpText('after', examples('lab down', 'lab down --purge'))
    .action(async (options: { purge: boolean }) => {
      const { kept, full } = await withLab(() => labDown(labInventory(), options));
      if (full !== undefined) console.log(`The machines' disks stay in the image, too: ${full}`);
      console.log(
        kept.length === 0
          ? 'The lab is gone.'
          : `The lab is gone; its disk image stays for the snapshots ${kept.join(', ')} (\`lab down --purge\` removes it).`,
      );
    });
  program
    .command('status')
    .description('machines, services, stages, components with their provenance, endpoints')
    .option('--json', 'for programs', false)
    .option('-w, --watch', 'look every two seconds until Ctrl-C', false)
    .addHelpText('after', examples('lab status', 'lab status --watch', 'lab status --json'))
    .action(async (options: { json: boolean; watch: boolean }) => {
      if (options.watch) return watchStatus(options.json);
      const status = await labStatus(labInventory());
      console.log(options.json ? JSON.stringify(status, null, 2) : showStatus(status));
    });
  program
    .command('snapshot')
    .description("keep the lab as it is now, running or not: the machines' disks and the sandbox's secrets")
    .argument('[name]', 'its name', convergedSnapshot)
    .option('--list', 'show the snapshots instead', false)
    .addHelpText('after', examples('lab snapshot', 'lab snapshot before-upgrade', 'lab snapshot --list'))
    .action(async (name: string, options: { list: boolean }) => {
      if (options.list) {
        for (const { name: known, created } of listSnapshots()) console.log(`${known}  ${localTime(created)}`);
        return;
      }
      const taken = await withLab(async () => {
        const state = stateOfDisk();
        if (state === undefined)
          throw new OperatorError({
            attempted: 'take a snapshot',
            expected: 'a lab that is up',
            seen: 'none',
            next: 'run `npm run lab -- up` first.',
          });
        return takeSnapshot(name, state);
      });
      console.log(`Snapshot ${taken.name} taken. \`npm run lab -- restore ${taken.name}\` brings this state back.`);
    });
  program
    .command('restore')
    .description('go back to a snapshot: machines and secrets as they were')
    .argument('[name]', 'its name', convergedSnapshot)
    .option('--no-recover', 'only power the machines on; leave the unsealing to you')
    .addHelpText('after', examples('lab restore', 'lab restore before-upgrade'))
    .action(async (name: string, options: { recover: boolean }) => {
      const { labRestore } = bringingUp();
      const onProgress = progressReporter(process.stderr);
      const state = await interruptible((signal) =>
        labRestore(labInventory(), name, { ...options, onProgress, signal }),
      );
      console.log(`The lab is back at snapshot ${state.from}.`);
    });
  program
    .command('doctor')
    .description('what this machine lacks for the lab and how to get it; changes nothing without --fix')
    .option('--fix', 'install what Debian packages provide', false)
    .addHelpText('after', examples('lab doctor', 'lab doctor --fix'))
    .action(async (options: { fix: boolean }) => {
      if (options.fix) await installDependencies();
      const found = await requirements(labInventory(), { components: true });
      console.log(showRequirements(found));
      // As `lab up` ends for want of the same.
      if (found.some(({ finding, hard }) => hard && finding.status !== 'met')) process.exitCode = 2;
    });
  program
    .command('install-deps')
    .description('install the Debian packages the lab needs (apt-get), as CI does on a new machine')
    .addHelpText('after', examples('lab install-deps'))
    .action(installDependencies);
}

/** Loaded when needed: the clients that stages use take a second to load, for which `power` and `down` should not wait. */
function bringingUp(): typeof import('./lab-up') {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() would look for an ES module
  return require('./lab-up') as typeof import('./lab-up');
}

async function installDependencies(): Promise<void> {
  const installed = await installMissing(await requirements(labInventory(), { components: true }), (line) =>
    process.stderr.write(`${line}\n`),
  );
  console.log(installed.length === 0 ? 'Nothing was missing.' : `Installed: ${installed.join(', ')}.`);
}

/** Examples under a command's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  npm run ${line.replace(/^lab/, 'lab --')}`).join('\n')}`;
}
