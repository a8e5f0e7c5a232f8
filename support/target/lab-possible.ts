import { OperatorError } from '../failure';

/** This machine as far as the lab asks. */
export interface Host {
  platform: NodeJS.Platform;
  /** Undefined where there is no such thing. */
  uid: number | undefined;
}

/**
 * The lab is made of Linux namespaces and needs root; everything else of the suite needs neither.
 * @throws OperatorError (exit code 2) naming the two ways on.
 */
export function assertLabPossible(host: Host = { platform: process.platform, uid: process.getuid?.() }): void {
  const ways =
    'describe machines of your own in sandbox.config.yaml and run with TARGET=vms or TARGET=k3d (`npm run target -- init vms`).';
  if (host.platform !== 'linux') {
    throw new OperatorError({
      attempted: 'use the lab',
      where: `this machine (${host.platform})`,
      expected: 'Linux',
      next: `run it inside one arm64 Linux machine with Debian 12, 2 cores, 8 GiB of memory and 40 GiB of disk (README), or ${ways}`,
      exitCode: 2,
    });
  }
  if (host.uid !== 0) {
    throw new OperatorError({
      attempted: 'use the lab',
      expected: 'root: machines of Linux namespaces cannot be made without',
      seen: `user ${host.uid ?? 'unknown'}`,
      next: `run the same command as root (\`sudo -E npm run suite\`, or inside a Linux machine of its own), or ${ways}`,
      exitCode: 2,
    });
  }
}
