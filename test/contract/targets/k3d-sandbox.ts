import { containerInspect } from './recorded/k3d';
import { clusterList } from './recorded/k3d';
import { chooseSandbox } from './sandbox';

const containers = containerInspect({ postgresRunning: true, giteaAddress: '127.0.30.5' });

/** Before all other imports: chooses the sandbox of this test. \`k3d\` and \`docker\` print what a file says. */
export const sandbox = chooseSandbox(
  'k3d',
  { k3d: { cluster: 'sandbox', containers: { postgres: 'sandbox-postgres', gitea: 'sandbox-gitea' } } },
  [
    ['k3d', `[ "$*" = "cluster list sandbox -o json" ] || exit 64\ncat <<'END'\n${clusterList}\nEND`],
    [
      'docker',
      `[ "$*" = "inspect sandbox-postgres sandbox-gitea" ] || exit 64\ncat "$(dirname "$0")/containers.json" 2> /dev/null || cat <<'END'\n${containers}\nEND`,
    ],
  ],
);
