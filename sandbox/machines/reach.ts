import { connect } from 'node:net';
import { eventually } from '../../support/eventually';
import type { Machine } from '../../support/inventory';

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
  const where = `${machine.address}:${sshPort}`;
  await eventually(
    `${machine.name} can be reached by SSH`,
    async () => {
      const reached = await accepts(machine.address, sshPort);
      return {
        subject: `SSH of ${machine.name}`,
        status: reached ? 'met' : 'unmet',
        expected: `connections accepted at ${where}`,
        actual: reached ? 'accepted' : 'not accepted',
        source: where,
        hint: `read \`npm run lab -- logs ${machine.name} sshd\`, then \`npm run lab -- power cut ${machine.name}\` and \`power on ${machine.name}\`.`,
      };
    },
    { ms: 15_000 },
  );
}
