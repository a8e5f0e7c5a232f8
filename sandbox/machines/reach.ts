import { connect } from 'node:net';
import type { Machine } from '../../support/inventory';
import { until } from './until';

/** Milliseconds a service of the lab, one hop away, has to accept a connection. */
const connectMs = 500;

/** Whether something accepts TCP connections at an address of the lab. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs });
    const done = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
  });
}

const sshPort = 22;

/** Waits until a machine that was powered on can be reached by SSH. @throws AwaitTimeout after 15 s. */
export async function untilReachable(machine: Machine): Promise<void> {
  await until(
    `${machine.name} answers over SSH`,
    async () =>
      (await accepts(machine.address, sshPort)) ? [] : [`nothing accepts connections at ${machine.address}:${sshPort}`],
    15_000,
  );
}
