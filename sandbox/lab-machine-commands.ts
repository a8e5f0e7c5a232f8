import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { childEnvironment } from '../support/command';
import { OperatorError } from '../support/failure';
import type { Inventory, Machine } from '../support/inventory';
import { forgeHome, sandboxSecrets } from '../support/paths';
import { stateOfDisk } from './lab';
import { examples } from './lab-commands';
import { withLabInTurn } from './lab-hold';
import { labInventory, machineHome } from './machines/layout';
import { mediaOver } from './machines/media';
import { sshArguments } from './machines/operator';
import { untilReachable } from './machines/reach';
import { isOn, powerCut, powerOff, powerOn } from './machines/power';

/** Adds the commands an operator uses on machines of the lab. */
export function registerMachines(program: Command): void {
  program
    .command('power')
    .description('power machines on, off (services are stopped first) or cut (the plug is pulled)')
    .addArgument(new Argument('<how>', 'on, off or cut').choices(['on', 'off', 'cut']))
    .argument('<machine...>', 'their names, or `all`')
    .addHelpText('after', examples('lab power cut pi3', 'lab power on pi3', 'lab power off all'))
    .action(async (how: 'on' | 'off' | 'cut', names: string[]) => withLabInTurn(() => power(how, names)));
  program
    .command('ssh')
    .description('a shell, or one command, on a machine as root')
    .argument('<machine>')
    .argument('[command...]')
    .passThroughOptions()
    .addHelpText('after', examples('lab ssh pi2', 'lab ssh pi2 sv status /etc/lab-service/gitea'))
    .action(async (name: string, command: string[]) => {
      const machine = poweredMachine(labInventory(), name);
      const terminal = command.length === 0 && process.stdin.isTTY;
      process.exitCode = await interactive('ssh', [...sshArguments(machine, { terminal }), ...command]);
    });
  program
    .command('logs')
    .description("a service's log on a machine, also when the machine is off")
    .argument('<machine>')
    .argument('[service]', 'without it: the services that have a log')
    .option('-f, --follow', 'go on as lines are written', false)
    .addOption(new Option('-n, --lines <number>', 'how many of the last lines').default('200').argParser(lineCount))
    .addHelpText('after', examples('lab logs pi1', 'lab logs pi1 kube-apiserver', 'lab logs pi2 gitea -f'))
    .action(async (name: string, service: string | undefined, options: { follow: boolean; lines: string }) => {
      const folder = logFolder(machineNamed(labInventory(), name), service);
      if (service === undefined) console.log(services(folder).join('\n'));
      else
        process.exitCode = await interactive('tail', [
          '-n',
          options.lines,
          ...(options.follow ? ['-F'] : []),
          join(folder, 'current'),
        ]);
    });
  program
    .command('kubectl')
    .description("kubectl on the lab's cluster as its administrator")
    .argument('[arguments...]')
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .addHelpText('after', examples('lab kubectl get nodes', 'lab kubectl -n argocd get applications'))
    .action(async (args: string[]) => {
      const config = join(sandboxSecrets, 'kubeconfig');
      const missing = [join(forgeHome, 'bin', 'kubectl'), config].find((file) => !existsSync(file));
      if (missing)
        throw new OperatorError({
          attempted: 'talk to the cluster',
          expected: 'a lab that is up',
          seen: `no ${missing}`,
          next: 'run `npm run lab -- up` first.',
        });
      process.exitCode = await interactive(join(forgeHome, 'bin', 'kubectl'), args, { KUBECONFIG: config });
    });
}

function lineCount(text: string): string {
  if (/^\d{1,6}$/.test(text)) return text;
  throw new InvalidArgumentError('a number of lines, such as 200.');
}

async function power(how: 'on' | 'off' | 'cut', names: string[]): Promise<void> {
  const inventory = labInventory();
  const machines = names.includes('all') ? inventory.machines : names.map((name) => machineNamed(inventory, name));
  const state = stateOfDisk();
  if (state === undefined)
    throw new OperatorError({
      attempted: `power ${how} ${names.join(', ')}`,
      expected: 'a lab',
      seen: 'none',
      next: 'run `npm run lab -- up` first.',
    });
  await Promise.all(
    machines.map(async (machine) => {
      if (how === 'on') {
        await powerOn(inventory, machine, mediaOver(state.base));
        return untilReachable(machine);
      }
      return how === 'off' ? powerOff(machine.name) : powerCut(machine.name);
    }),
  );
}

/** @throws OperatorError naming the machines there are. */
function machineNamed(inventory: Inventory, name: string): Machine {
  const machine = inventory.machines.find((candidate) => candidate.name === name);
  if (machine) return machine;
  const names = inventory.machines.map((candidate) => candidate.name).join(', ');
  throw new OperatorError({
    attempted: `find the machine ${name}`,
    expected: `one of ${names}`,
    seen: `"${name}"`,
    next: 'use one of these names.',
    exitCode: 2,
  });
}

function poweredMachine(inventory: Inventory, name: string): Machine {
  const machine = machineNamed(inventory, name);
  if (isOn(machine.name)) return machine;
  throw new OperatorError({
    attempted: 'reach the machine',
    where: name,
    expected: 'it to be on',
    seen: 'it is off',
    next: `run \`npm run lab -- power on ${name}\`, or \`npm run lab -- up\`.`,
  });
}

function logFolder(machine: Machine, service: string | undefined): string {
  const all = join(machineHome(machine.name).data, 'log');
  if (!existsSync(all))
    throw new OperatorError({
      attempted: 'read the logs',
      where: machine.name,
      expected: 'a lab',
      seen: 'none',
      next: 'run `npm run lab -- up` first.',
    });
  if (service === undefined) return all;
  if (!services(all).includes(service)) {
    throw new OperatorError({
      attempted: `read the log of ${service}`,
      where: machine.name,
      expected: `one of ${services(all).join(', ')}`,
      seen: `"${service}"`,
      next: 'use one of these names.',
      exitCode: 2,
    });
  }
  return join(all, service);
}

function services(folder: string): string[] {
  return readdirSync(folder).sort();
}

/** Runs a program on this terminal. @returns its exit code. */
function interactive(file: string, args: string[], env: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env: childEnvironment(env) });
    // Ctrl-C is the child's: it decides whether to end.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    child.once('error', (cause) =>
      reject(
        new OperatorError({
          attempted: `start ${file}`,
          seen: cause.message,
          next: 'run `npm run lab -- doctor`.',
          cause,
        }),
      ),
    );
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? (signal ? 130 : 1));
    });
  });
}
