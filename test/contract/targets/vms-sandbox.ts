import { chooseSandbox } from './sandbox';

/** `ssh` runs the remote command here and writes down how it was called. */
const ssh = `echo "$@" >> "$(dirname "$0")/../ssh.log"
while [ "$1" != "--" ]; do shift; done; shift
exec sh -c "$*"`;

/** Before all other imports: chooses the sandbox of this test. */
export const sandbox = chooseSandbox(
  'vms',
  {
    ssh: { user: 'root', key: 'id_ed25519', known_hosts: 'known_hosts' },
    power: { on: 'switch on {machine}', off: 'switch off {machine}', cut: 'switch --force "{machine}"', seconds: 2 },
  },
  [
    ['ssh', ssh],
    ['pidof', 'exit 1'],
    ['switch', 'echo "$@" >> "$(dirname "$0")/../switch.log"'],
  ],
);
