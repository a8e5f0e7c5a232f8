import { connect } from 'node:net';
import { run } from '../../command';
import { eventually } from '../../eventually';
import { OperatorError } from '../../failure';
import type { Machine } from '../../inventory';
import { projectRoot } from '../../paths';
import type { PowerAction } from '../target';

/** Commands that switch machines, with `{machine}` in them. */
export type PowerCommands = Partial<Record<PowerAction, string>>;

/** Port of a machine's SSH service. */
export function sshPort({ port }: Machine): number {
  return port ?? 22;
}

/** A configured command as program and arguments. Quotes join words, as in a shell; nothing else of a shell is there. */
export function commandOf(template: string, machine: string): string[] {
  const words = template.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replaceAll(/["']/g, '').replaceAll('{machine}', machine));
}

/**
 * Switches a machine with the configured command and waits until it obeyed: reachable after `on`, silent otherwise.
 * @param seconds how long either may take.
 * @throws OperatorError when the command fails; AwaitTimeout when the machine does not obey.
 */
export async function switchMachine(
  machine: Machine,
  action: PowerAction,
  template: string,
  seconds: number,
): Promise<void> {
  const ms = seconds * 1000;
  const [file = '', ...args] = commandOf(template, machine.name);
  await run(file, args, { cwd: projectRoot, timeoutMs: ms });
  const wanted = action === 'on';
  await eventually(
    `${machine.name} ${wanted ? 'can be reached' : 'is silent'} after power ${action}`,
    async () => {
      const answers = await accepts(machine.address, sshPort(machine));
      return {
        subject: `SSH of ${machine.name}`,
        status: answers === wanted ? 'met' : 'unmet',
        expected: wanted ? 'connections accepted' : 'no answer',
        actual: answers ? 'connections accepted' : 'no answer',
        source: `${machine.address}:${sshPort(machine)}`,
        hint: `\`${[file, ...args].join(' ')}\` ended well, but the machine did not obey: is it the right command?`,
      };
    },
    { ms },
  );
}

/** Whether something accepts TCP connections there, within two seconds. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const done = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
  });
}

/** @throws OperatorError naming the machines there are. */
export function machineNamed(machines: readonly Machine[], name: string): Machine {
  const found = machines.find((machine) => machine.name === name);
  if (found !== undefined) return found;
  throw new OperatorError({
    attempted: 'find the machine',
    where: name,
    expected: `one of ${machines.map((machine) => machine.name).join(', ')}`,
    next: 'name one of these.',
  });
}
